"""The evidence archive as a file: the same members give the same bytes, and reading it checks every byte.

It is a zip without compression, which any desktop opens and no version of a compressor can change:

    index.json   what is inside, what is missing, and what that is needed for
    SHA256SUMS   of every other member, for `sha256sum --check`
    …            the members, by name

The first two are computed from the members. So reading an archive means: take the members out, pack them again, and
compare. The index has format version 1. To change what it holds, raise FORMAT_VERSION, and keep reading the old
version for as long as such archives must be kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypedDict

from operations.errors import EvidenceMismatch, UnreadableInput
from operations.evidence.members import need, read_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FORMAT = "credit-decision-evidence"
FORMAT_VERSION = 1
INDEX, CHECKSUMS, APPROVAL = "index.json", "SHA256SUMS", "approval.json"
# The earliest time that zip knows; the manifest says when the model was trained.
EPOCH = (1980, 1, 1, 0, 0, 0)
# What the zipfile module raises on damaged bytes.
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


class Present(TypedDict):
    """A member, as the index lists it."""

    name: str
    title: str
    size: int
    sha256: str


class Missing(TypedDict):
    """What an archive could hold and lacks, as the index lists it."""

    name: str
    title: str
    required_for: Step


class Index(TypedDict):
    """`index.json`."""

    format: str
    format_version: int
    purpose: Literal["review", "release"]
    members: list[Present]
    missing: list[Missing]


def read_file(path: Path) -> bytes:
    """Read an archive, or what it is compared with.

    Raises
    ------
    UnreadableInput
        The file is missing, or cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as err:
        raise UnreadableInput(str(path), err.strerror or "cannot be read") from err


def pack(members: Mapping[str, bytes], items: Sequence[Item]) -> bytes:
    """Make the archive of some members: a release's if an approval is among them, otherwise one for review.

    Parameters
    ----------
    members : mapping of str to bytes
    items : sequence of Item
        Everything that an archive may hold. The index lists as missing what `members` lacks.
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
    """Take the members out of an archive, and check every byte of it.

    Raises
    ------
    EvidenceMismatch
        Names the first member that was altered, or "archive" for the bytes around the members.
    """
    content = _read(archive)
    known = {INDEX, CHECKSUMS, *(item.member for item in items)}
    for name in content:
        if name not in known:
            raise EvidenceMismatch(name, "is not a member that an evidence archive can have")
    for name in (CHECKSUMS, INDEX):
        if name not in content:
            raise EvidenceMismatch(name, "is not in the archive")
    _check_sums(content)
    members = {name: data for name, data in content.items() if name not in (INDEX, CHECKSUMS)}
    index = read_object(content, INDEX)
    version = (need(index, INDEX, "format", str), need(index, INDEX, "format_version", int))
    if version != (FORMAT, FORMAT_VERSION):
        raise EvidenceMismatch(INDEX, f"has a format that this code does not know: {version[0]} {version[1]}")
    if index != _index(members, items):
        raise EvidenceMismatch(INDEX, "does not match the members")
    if archive != pack(members, items):
        raise EvidenceMismatch("archive", "the bytes around the members were altered")
    return members


def lacking(members: Mapping[str, bytes], items: Sequence[Item]) -> tuple[Item, ...]:
    """The items that an archive may hold and these members lack."""
    return tuple(item for item in items if item.member not in members)


def _index(members: Mapping[str, bytes], items: Sequence[Item]) -> Index:
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
                    raise EvidenceMismatch(name, "is stored twice, or compressed")
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
