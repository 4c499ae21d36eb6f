"""Pushes an image in pieces of a few megabytes.

MiniStack copies what it has of a request's body with every piece that arrives, so that `docker push`, which sends a
layer as one request, takes a quarter of an hour for the training image's largest; this takes seconds.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
import urllib.request
from typing import IO, TYPE_CHECKING
from urllib.parse import urljoin

if TYPE_CHECKING:
    from pathlib import Path

PIECE = 4 << 20
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar"


def push(image: str, host: str, repository: str, tag: str, scratch: Path) -> str:
    """Push a local image.

    Parameters
    ----------
    image : str
        As the Docker engine knows it.
    host, repository, tag : str
        Where it goes; the host with its port, on plain HTTP.
    scratch : Path
        A directory for the image's archive, which is as large as the image.

    Returns
    -------
    str
        The digest that the image has in the registry.
    """
    saved = scratch / "image.tar"
    subprocess.run(["docker", "save", "--output", str(saved), image], check=True)
    registry = f"http://{host}/v2/{repository}/"
    with tarfile.open(saved) as archive:
        (described,) = json.load(_member(archive, "manifest.json"))
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, **_upload(registry, _member(archive, described["Config"]))},
            "layers": [
                {"mediaType": LAYER, **_upload(registry, _member(archive, layer))} for layer in described["Layers"]
            ],
        }
    saved.unlink()
    content = json.dumps(manifest).encode()
    _send("PUT", f"{registry}manifests/{tag}", content, {"Content-Type": MANIFEST})
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _upload(registry: str, blob: IO[bytes]) -> dict[str, str | int]:
    address = urljoin(registry, _send("POST", f"{registry}blobs/uploads/", b"", {}))
    digest, size = hashlib.sha256(), 0
    while piece := blob.read(PIECE):
        address = urljoin(registry, _send("PATCH", address, piece, {"Content-Type": "application/octet-stream"}))
        digest.update(piece)
        size += len(piece)
    name = f"sha256:{digest.hexdigest()}"
    _send("PUT", f"{address}{'&' if '?' in address else '?'}digest={name}", b"", {})
    return {"size": size, "digest": name}


def _send(method: str, address: str, body: bytes, headers: dict[str, str]) -> str:
    request = urllib.request.Request(address, body, headers, method=method)  # loopback
    with urllib.request.urlopen(request, timeout=120) as answer:
        return str(answer.headers.get("Location", ""))


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    member = archive.extractfile(name)
    assert member is not None, f"{name} is not a file of the saved image"
    return member
