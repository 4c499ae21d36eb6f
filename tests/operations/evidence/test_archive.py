"""The archive is the same for the same members, and no byte of it can change unnoticed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.errors import EvidenceMismatch
from operations.evidence import archive
from operations.evidence.archive import Item

ITEMS = (
    Item("a.txt", "review", "First"),
    Item("b/c.bin", "nothing", "Second"),
    Item(archive.APPROVAL, "release", "Approval"),
)
MEMBERS = {"b/c.bin": bytes(range(256)), "a.txt": b"hello\n"}
PACKED = archive.pack(MEMBERS, ITEMS)


def _zip(content: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as opened:
        for name, data in content.items():
            opened.writestr(zipfile.ZipInfo(name, archive.EPOCH), data, compression)
    return buffer.getvalue()


def _content(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def _resummed(content: dict[str, bytes]) -> bytes:
    """An archive whose checksums were recomputed, as a forger would."""
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in content.items())
    return _zip(content | {archive.CHECKSUMS: sums.encode()})


def test_unpacking_returns_what_was_packed() -> None:
    assert archive.unpack(PACKED, ITEMS) == MEMBERS


def test_the_order_of_the_members_does_not_matter() -> None:
    assert archive.pack(dict(sorted(MEMBERS.items())), ITEMS) == PACKED


def test_its_bytes_are_the_same_under_every_python() -> None:
    # A changed digest means that this Python writes zips differently, and that older archives would no longer verify.
    assert hashlib.sha256(PACKED).hexdigest() == "2edba7da781d32a7f073bf81740207e01d564a34493ccac434f2dd5be64ea72d"


def test_any_desktop_and_sha256sum_can_read_it() -> None:
    content = _content(PACKED)

    lines = content[archive.CHECKSUMS].decode().splitlines()

    assert lines == [
        f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in content.items() if name != archive.CHECKSUMS
    ]


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF], ids=hex)
def test_a_flipped_byte_anywhere_is_found(mask: int) -> None:
    unnoticed = []
    for place in range(len(PACKED)):
        changed = bytearray(PACKED)
        changed[place] ^= mask
        try:
            archive.unpack(bytes(changed), ITEMS)
        except EvidenceMismatch:
            continue
        unnoticed.append(place)

    assert unnoticed == []


@given(length=st.integers(0, len(PACKED) - 1))
def test_a_truncated_archive_is_found(length: int) -> None:
    with pytest.raises(EvidenceMismatch):
        archive.unpack(PACKED[:length], ITEMS)


@pytest.mark.parametrize("member", sorted(MEMBERS))
def test_a_flipped_byte_in_a_member_is_found_by_the_member_s_name(member: str) -> None:
    place = PACKED.index(MEMBERS[member])
    changed = PACKED[:place] + bytes([PACKED[place] ^ 0x20]) + PACKED[place + 1 :]

    with pytest.raises(EvidenceMismatch) as caught:
        archive.unpack(changed, ITEMS)

    assert caught.value.member == member


@pytest.mark.parametrize(
    ("tampered", "member"),
    [
        pytest.param(_zip(_content(PACKED) | {"a.txt": b"other"}), "a.txt", id="a member, and zip's own checks"),
        pytest.param(_resummed(_content(PACKED) | {"a.txt": b"other"}), "index.json", id="a member and its checksum"),
        pytest.param(
            _resummed(_content(PACKED) | {"index.json": _content(PACKED)["index.json"].replace(b"First", b"Other")}),
            "index.json",
            id="the index and its checksum",
        ),
        pytest.param(_zip(_content(PACKED) | {"new": b""}), "new", id="an added member"),
        pytest.param(archive.pack(MEMBERS | {"/etc/cron.d/x": b""}, ITEMS), "/etc/cron.d/x", id="an absolute path"),
        pytest.param(archive.pack(MEMBERS | {"b/../../x.sh": b""}, ITEMS), "b/../../x.sh", id="a path that climbs"),
        pytest.param(
            _zip({name: data for name, data in _content(PACKED).items() if name != "a.txt"}),
            "a.txt",
            id="a removed member",
        ),
        pytest.param(_zip(_content(PACKED), zipfile.ZIP_DEFLATED), "index.json", id="compressed"),
        pytest.param(PACKED + b"\n", "archive", id="a byte after the end"),
        pytest.param(b"\n" + PACKED, "archive", id="a byte before the start"),
        pytest.param(_zip(_content(PACKED) | {"SHA256SUMS": b"none"}), "SHA256SUMS", id="no checksums"),
        pytest.param(_zip({"a.txt": b""}), "SHA256SUMS", id="another zip"),
        pytest.param(b"", "archive", id="an empty file"),
    ],
)
def test_what_was_tampered_with_is_named(tampered: bytes, member: str) -> None:
    with pytest.raises(EvidenceMismatch) as caught:
        archive.unpack(tampered, ITEMS)

    assert caught.value.member == member


@given(
    index=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["format", "format_version", "members", "purpose"]), inner)
        ),
    )
)
def test_an_index_of_any_other_json_is_named(index: object) -> None:
    with pytest.raises(EvidenceMismatch) as caught:
        archive.unpack(_resummed(_content(PACKED) | {"index.json": json.dumps(index).encode()}), ITEMS)

    assert caught.value.member == "index.json"


def test_an_index_that_is_a_bomb_is_named() -> None:
    with pytest.raises(EvidenceMismatch, match=r"index\.json"):
        archive.unpack(_resummed(_content(PACKED) | {"index.json": b"[" * 100_000}), ITEMS)


def test_a_member_s_name_cannot_control_a_terminal() -> None:
    with pytest.raises(EvidenceMismatch) as caught:
        archive.unpack(archive.pack(MEMBERS | {"\x1b[2Jfits": b""}, ITEMS), ITEMS)

    assert str(caught.value).isprintable()


def test_a_later_format_is_refused_by_its_version() -> None:
    content = _content(PACKED)
    content["index.json"] = content["index.json"].replace(b'"format_version": 1', b'"format_version": 2')

    with pytest.raises(EvidenceMismatch, match="does not know: credit-decision-evidence 2"):
        archive.unpack(_resummed(content), ITEMS)
