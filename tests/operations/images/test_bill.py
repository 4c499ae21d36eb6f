"""An image's bill of materials names every Python package in it, and nothing else."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from operations.errors import UnreadableInput
from operations.images.bill import bill_of, bill_of_filesystem, facts_of, named, record

if TYPE_CHECKING:
    from pathlib import Path

SITE = "var/lang/lib/python3.13/site-packages"


def _metadata(name: str, version: str, *more: str) -> str:
    return "\n".join(["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *more, "", ""])


def _filesystem(files: dict[str, str]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))
    return io.BytesIO(buffer.getvalue())


def _imported(name: str, files: dict[str, str]) -> str:
    """Make an image of these files with a model version's label; returns its name."""
    command = ["docker", "import", "--change", 'LABEL ccapproval.identity="abc"', "-", name]
    subprocess.run(command, input=_filesystem(files).read(), check=True, capture_output=True)
    return name


FILES = {
    f"{SITE}/pydantic_core-2.41.dist-info/METADATA": _metadata(
        "pydantic_core", "2.41", "License-Expression: MIT", "Requires-Dist: typing-extensions"
    ),
    f"{SITE}/pydantic_core-2.41.dist-info/RECORD": "pydantic_core/__init__.py,,\n",
    "var/task/typing_extensions-4.15.dist-info/METADATA": _metadata("typing-extensions", "4.15"),
    "usr/lib/python3/dist-packages/six-1.16.egg-info/PKG-INFO": _metadata("six", "1.16"),
    "var/task/notes/METADATA": _metadata("not-a-package", "1"),
    "../../escape-1.dist-info/METADATA": _metadata("escape", "1"),
}


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    return bill_of_filesystem(_filesystem(FILES), "image")


def test_every_installed_package_is_a_component(bill: dict[str, Any]) -> None:
    found = {(component["name"], component["version"]) for component in bill["components"]}

    assert found == {("pydantic_core", "2.41"), ("typing-extensions", "4.15"), ("six", "1.16"), ("escape", "1")}


def test_licences_and_dependencies_are_listed(bill: dict[str, Any]) -> None:
    (core,) = (component for component in bill["components"] if component["name"] == "pydantic_core")
    (edges,) = (entry for entry in bill["dependencies"] if entry["ref"] == core["bom-ref"])

    assert core["licenses"][0]["license"]["id"] == "MIT"
    assert core["purl"].startswith("pkg:")
    assert edges["dependsOn"] == ["typing-extensions==4.15"]


def test_it_is_cyclonedx(bill: dict[str, Any]) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(named(bill, "image", "sha256:1"))) is None


def test_the_same_filesystem_gives_the_same_bill(bill: dict[str, Any]) -> None:
    assert bill_of_filesystem(_filesystem(FILES), "image") == bill


def test_a_filesystem_without_packages_is_refused() -> None:
    with pytest.raises(UnreadableInput, match=r"no \*\.dist-info"):
        bill_of_filesystem(_filesystem({"etc/os-release": ""}), "image")


@pytest.mark.docker
def test_a_real_image_is_read_without_being_run() -> None:
    _imported("pipeline-sbom-test", {name: content for name, content in FILES.items() if not name.startswith("..")})
    try:
        facts, bill = facts_of("pipeline-sbom-test"), bill_of("pipeline-sbom-test")
    finally:
        subprocess.run(["docker", "rmi", "pipeline-sbom-test"], check=True, capture_output=True)

    assert facts["identity"] == "abc"
    assert bill["metadata"]["component"]["version"] == facts["id"]
    assert len(bill["components"]) == 3


@pytest.mark.docker
def test_an_image_s_bill_is_made_once_and_another_image_gets_its_own(tmp_path: Path) -> None:
    # given: a bill of one image, marked so that it can be told from a new one
    one, other = (
        _imported(f"pipeline-record-{name}", {f"{SITE}/{name}-1.dist-info/METADATA": _metadata(name, "1")})
        for name in ("a", "b")
    )
    try:
        _, bill = record(one, "inference", tmp_path)
        bill.write_text(json.dumps(json.loads(bill.read_text()) | {"marked": True}))

        # when
        record(one, "inference", tmp_path)
        kept = json.loads(bill.read_text())
        facts, _ = record(other, "inference", tmp_path)
        anew = json.loads(bill.read_text())
    finally:
        subprocess.run(["docker", "rmi", one, other], check=True, capture_output=True)

    # then
    assert kept["marked"]
    assert "marked" not in anew
    assert [component["name"] for component in anew["components"]] == ["b"]
    assert anew["metadata"]["component"]["version"] == json.loads(facts.read_text())["id"]


@pytest.mark.docker
@pytest.mark.parametrize(
    "spoilt", ["", "[]", "{}", '{"metadata": {"component": "x"}}'], ids=["empty", "list", "bare", "flat"]
)
def test_an_unreadable_bill_is_made_again(spoilt: str, tmp_path: Path) -> None:
    name = _imported("pipeline-record-spoilt", {f"{SITE}/a-1.dist-info/METADATA": _metadata("a", "1")})
    (tmp_path / "inference.cdx.json").write_text(spoilt)
    try:
        _, bill = record(name, "inference", tmp_path)
    finally:
        subprocess.run(["docker", "rmi", name], check=True, capture_output=True)

    assert [component["name"] for component in json.loads(bill.read_text())["components"]] == ["a"]


@pytest.mark.docker
def test_a_missing_image_is_reported() -> None:
    with pytest.raises(UnreadableInput, match="no-such-image"):
        facts_of("no-such-image:none")
