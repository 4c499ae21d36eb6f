"""The evidence archive as a file: written the same to the byte from the same members, read back with every check.

A zip without compression, which any desktop opens and no compressor's version can change:

    index.json   what is inside, what is missing, and whether a release needs it
    SHA256SUMS   for `sha256sum --check`, of every other member
    …            the members, by name

Both are computed from the members, so reading an archive is: take the members out, compute the archive that they
make, and compare. The index says format version 1; to change what it holds, raise FORMAT_VERSION, and keep reading
the old version for as long as such archives must be kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from operations.errors import EvidenceMismatch
from operations.evidence.members import need, read_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = "credit-decision-evidence"
FORMAT_VERSION = 1
INDEX, CHECKSUMS, APPROVAL = "index.json", "SHA256SUMS", "approval.json"
# Zip's earliest moment: an archive says when its model was trained in the manifest, not here.
EPOCH = (1980, 1, 1, 0, 0, 0)
# What the zipfile module raises on bytes that are not as they were written.
UNREADABLE = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    struct.error,
    zlib.error,
)

Step = Literal["review", "release", "nothing"]


@dataclass(frozen=True)
class Item:
    """One thing that an archive may hold.

    Parameters
    ----------
    member : str
        Its name in the archive.
    required_for : {"review", "release", "nothing"}
        The first step that cannot be taken without it.
    title : str
        What it is, for people.
    """

    member: str
    required_for: Step
    title: str


def pack(members: Mapping[str, bytes], items: Sequence[Item]) -> bytes:
    """The archive of some members.

    It is a release's if an approval is among them, otherwise one for review.

    Parameters
    ----------
    members : mapping of str to bytes
    items : sequence of Item
        Everything that an archive may hold; what `members` lacks is listed as missing.
    """
    index = json.dumps(_index(members, items), indent=2, ensure_ascii=False).encode() + b"\n"
    content = {INDEX: index, **{name: members[name] for name in sorted(members)}}
    sums = "".join(f"{sha256(data)}  {name}\n" for name, data in content.items())
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in (*content.items(), (CHECKSUMS, sums.encode())):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, data)
    return buffer.getvalue()


def unpack(archive: bytes, items: Sequence[Item]) -> dict[str, bytes]:
    """The members of an archive, after every byte of it was checked.

    Raises
    ------
    EvidenceMismatch
        With the first member that is not what was written, or "archive" for the bytes around the members.
    """
    content = _read(archive)
    known = {INDEX, CHECKSUMS, *(item.member for item in items)}
    for name in content:
        if name not in known:
            raise EvidenceMismatch(name, "is no member that an evidence archive has")
    for name in (CHECKSUMS, INDEX):
        if name not in content:
            raise EvidenceMismatch(name, "is not in the archive")
    _check_sums(content)
    members = {name: data for name, data in content.items() if name not in (INDEX, CHECKSUMS)}
    index = read_object(content, INDEX)
    version = (need(index, INDEX, "format", str), need(index, INDEX, "format_version", int))
    if version != (FORMAT, FORMAT_VERSION):
        raise EvidenceMismatch(INDEX, f"is of a format that this code does not know: {version[0]} {version[1]}")
    if index != _index(members, items):
        raise EvidenceMismatch(INDEX, "does not fit the members")
    if archive != pack(members, items):
        raise EvidenceMismatch("archive", "the bytes around the members are not as they were written")
    return members


def lacking(members: Mapping[str, bytes], items: Sequence[Item]) -> tuple[Item, ...]:
    """What the members lack, of everything that an archive may hold."""
    return tuple(item for item in items if item.member not in members)


def _index(members: Mapping[str, bytes], items: Sequence[Item]) -> dict[str, Any]:
    titles = {item.member: item.title for item in items}
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "purpose": "release" if APPROVAL in members else "review",
        "members": [
            {"name": name, "title": titles.get(name, ""), "size": len(data), "sha256": sha256(data)}
            for name, data in sorted(members.items())
        ],
        "missing": [
            {"name": item.member, "title": item.title, "required_for": item.required_for}
            for item in lacking(members, items)
        ],
    }


def _read(archive: bytes) -> dict[str, bytes]:
    name = "archive"
    content: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            for entry in opened.infolist():
                name = entry.filename
                if name in content or entry.compress_type != zipfile.ZIP_STORED:
                    raise EvidenceMismatch(name, "is not stored as it was written")
                content[name] = opened.read(entry)
    except UNREADABLE as err:
        raise EvidenceMismatch(name, f"cannot be read ({err})") from err
    return content


def _check_sums(content: Mapping[str, bytes]) -> None:
    try:
        lines = content[CHECKSUMS].decode().splitlines()
        sums = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    except ValueError as err:
        raise EvidenceMismatch(CHECKSUMS, "is not a list of checksums") from err
    for name, data in content.items():
        if name != CHECKSUMS and sums.get(name) != sha256(data):
            reason = f"does not have the digest in {CHECKSUMS}" if name in sums else f"is not listed in {CHECKSUMS}"
            raise EvidenceMismatch(name, reason)
    for name in sums:
        if name not in content:
            raise EvidenceMismatch(name, "is not in the archive")


def sha256(data: bytes) -> str:
    """The digest of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
