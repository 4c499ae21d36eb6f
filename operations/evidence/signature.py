"""The signature of an approved archive: ECDSA over its SHA-256, in a file beside it, NAME.zip.sig.

Whoever approves signs, with a key that neither builds nor deploys: one that never leaves AWS KMS, or a file. Whoever
deploys checks it against a public key that comes with the checkout or its settings, never with the archive. Both use
the `openssl` program, so anyone can check a signature without this code:

    openssl dgst -sha256 -verify PUBLIC.pem -signature evidence.zip.sig evidence.zip
"""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING

from operations.errors import EvidenceMismatch, UnreadableInput

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_kms import KMSClient

SIGNATURE = "signature"


def beside(archive: Path) -> Path:
    """Where the signature of an archive is.

    >>> from pathlib import Path
    >>> beside(Path("build/evidence.zip")).as_posix()
    'build/evidence.zip.sig'
    """
    return archive.with_name(f"{archive.name}.sig")


def sign_with_file(content: bytes, key: Path) -> bytes:
    """Sign with a private key in a PEM file.

    Raises
    ------
    UnreadableInput
        OpenSSL cannot sign with this file.
    """
    done = _openssl("dgst", "-sha256", "-sign", str(key), content=content)
    if done.returncode:
        raise UnreadableInput(str(key), f"openssl cannot sign with it: {_last(done.stderr)}")
    return done.stdout


def sign_with_kms(content: bytes, key: str, client: KMSClient) -> bytes:
    """Sign with an asymmetric key of AWS KMS (ECC_NIST_P256), which sees the digest alone.

    Raises
    ------
    botocore.exceptions.ClientError
        KMS refuses.
    """
    answer = client.sign(
        KeyId=key,
        Message=hashlib.sha256(content).digest(),
        MessageType="DIGEST",
        SigningAlgorithm="ECDSA_SHA_256",
    )
    return answer["Signature"]


def check_signature(content: bytes, signature: Path, public_key: Path) -> None:
    """Check an archive's signature.

    Parameters
    ----------
    content : bytes
        The archive.
    signature, public_key : Path
        The signature's file, and the signer's public key (PEM).

    Raises
    ------
    EvidenceMismatch
        There is no signature, or it is not this key's of this archive.
    UnreadableInput
        The public key cannot be read, or there is no OpenSSL.
    """
    if not public_key.is_file():
        raise UnreadableInput(str(public_key), "no such file; it must hold the public key of whoever approves")
    if _openssl("pkey", "-pubin", "-in", str(public_key), "-noout").returncode:
        raise UnreadableInput(str(public_key), "is not a public key in PEM")
    if not signature.is_file():
        raise EvidenceMismatch(SIGNATURE, f"there is no {signature.name} beside the archive: it was not signed")
    done = _openssl("dgst", "-sha256", "-verify", str(public_key), "-signature", str(signature), content=content)
    if done.returncode:
        raise EvidenceMismatch(SIGNATURE, f"{signature.name} is not a signature of this archive by {public_key.name}")


def _openssl(*words: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["openssl", *words], input=content, capture_output=True, check=False)
    except FileNotFoundError as err:
        raise UnreadableInput("openssl", "is not installed; it checks and makes signatures") from err


def _last(said: bytes) -> str:
    return (said.decode(errors="replace").strip().splitlines() or ["it gave no reason"])[-1]
