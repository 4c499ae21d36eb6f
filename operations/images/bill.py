"""What a release records about an image: its identity, and a CycloneDX bill of its Python packages."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypedDict

from operations.errors import UnreadableInput
from operations.images import labels

# The files in which Python's packaging describes an installed distribution.
DESCRIPTIONS = ("METADATA", "direct_url.json", "PKG-INFO")

# A CycloneDX 1.6 document, whose shape is that standard's.
Bill = dict[str, Any]


class Facts(TypedDict):
    """What the Docker engine knows about a local image.

    `digests` are in the registries that it was pushed to or pulled from, as "HOST/NAME@sha256:…"; `identity` is
    None for an image that carries no model.
    """

    image: str
    id: str
    digests: list[str]
    architecture: str
    labels: dict[str, str]
    identity: str | None


def record(image: str, role: str, directory: Path) -> tuple[Path, Path]:
    """Write what a release records about a local image: ROLE.json and ROLE.cdx.json.

    The facts are read again each time, since an image gets its digests when it is pushed. Its packages never change,
    so a bill that is already there for this very image stays.

    Returns
    -------
    tuple of Path
        The facts' file and the bill's.

    Raises
    ------
    UnreadableInput
        The engine does not know the image, or the image holds no Python package.
    """
    facts_file, bill_file = directory / f"{role}.json", directory / f"{role}.cdx.json"
    facts = facts_of(image)
    bill = _kept(bill_file, facts["id"]) or bill_of(image)
    directory.mkdir(parents=True, exist_ok=True)
    for path, document in ((facts_file, facts), (bill_file, bill)):
        path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return facts_file, bill_file


def _kept(path: Path, identity: str) -> Bill | None:
    """The bill in a file, if it is the bill of the image with this id."""
    try:
        document: Bill = json.loads(path.read_text(encoding="utf-8"))
        return document if document["metadata"]["component"]["version"] == identity else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def facts_of(image: str) -> Facts:
    """Ask the Docker engine about a local image.

    Raises
    ------
    UnreadableInput
        The engine does not know the image.
    """
    inspected = json.loads(_docker("image", "inspect", image, source=image))[0]
    found: dict[str, str] = inspected["Config"].get("Labels") or {}
    return {
        "image": image,
        "id": inspected["Id"],
        "digests": inspected.get("RepoDigests") or [],
        "architecture": inspected["Architecture"],
        "labels": found,
        "identity": labels.identity(found),
    }


def bill_of(image: str) -> Bill:
    """List the Python packages of a local image.

    The image is read, never run, so its architecture does not matter.

    Parameters
    ----------
    image : str
        A name, tag or digest that the Docker engine knows.

    Returns
    -------
    dict
        A CycloneDX 1.6 document whose `metadata.component` is the image.

    Raises
    ------
    UnreadableInput
        The engine does not know the image, or the image holds no Python package.
    """
    container = _docker("create", "--entrypoint", "none", image, source=image)
    try:
        identity = _docker("image", "inspect", "--format", "{{.Id}}", image, source=image)
        with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export:
            if export.stdout is None:
                raise UnreadableInput(image, "docker export gave no output")
            document = bill_of_filesystem(export.stdout, image)
    finally:
        _docker("rm", container, source=image)
    return named(document, image, identity)


def named(document: Bill, image: str, identity: str) -> Bill:
    """The same bill, naming the image that it describes."""
    component = {"type": "container", "bom-ref": "image", "name": image.partition("@")[0], "version": identity}
    return document | {"metadata": document["metadata"] | {"component": component}}


def bill_of_filesystem(archive: IO[bytes], source: str) -> Bill:
    """List the Python packages of a root filesystem, given as a tar stream.

    Raises
    ------
    UnreadableInput
        It holds no Python package, or cyclonedx-py is not installed.
    """
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        packages = root / "packages"
        packages.mkdir()
        with tarfile.open(fileobj=archive, mode="r|*") as members:
            for member in members:
                path = PurePosixPath(member.name)
                content = members.extractfile(member) if path.name in DESCRIPTIONS and member.isfile() else None
                if content is not None and path.parent.suffix in (".dist-info", ".egg-info"):
                    # One flat directory: the parent's name holds both the package and its version.
                    (packages / path.parent.name).mkdir(exist_ok=True)
                    (packages / path.parent.name / path.name).write_bytes(content.read())
        if not any(packages.iterdir()):
            raise UnreadableInput(source, "it holds no Python package (no *.dist-info)")
        return _describe(packages, root, source)


def _describe(packages: Path, root: Path, source: str) -> Bill:
    # cyclonedx-py asks an interpreter for its search path, and reads the packages there. This one answers with ours.
    interpreter = root / "python"
    interpreter.write_text(f"#!/bin/sh\ncat '{root / 'path.json'}'\n")
    interpreter.chmod(0o700)
    (root / "path.json").write_text(json.dumps([str(packages)]))
    # Its own validation takes ten times as long as the rest; the tests validate what it writes.
    options = ("--output-reproducible", "--no-validate")
    command = [sys.executable, "-m", "cyclonedx_py", "environment", *options, str(interpreter)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise UnreadableInput(source, f"cyclonedx-py failed: {reason}; is requirements/sbom.txt installed?")
    document: Bill = json.loads(done.stdout)
    return document


def _docker(*arguments: str, source: str) -> str:
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as err:
        raise UnreadableInput(source, "docker is not installed") from err
    if done.returncode:
        raise UnreadableInput(source, done.stderr.strip() or "docker refused")
    return done.stdout.strip()
