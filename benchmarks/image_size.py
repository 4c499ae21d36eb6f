"""What an image adds to its base, as a registry stores it: every layer compressed with gzip.

python -m benchmarks.image_size --artifacts model/artifacts
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tqdm import tqdm

from benchmarks import compared_images
from benchmarks.figures import Figure, Spread
from benchmarks.lambda_process import BenchmarkError

GZIP = 16 + zlib.MAX_WBITS
LEVEL = 6  # as in docker push
CHUNK = 1 << 20
REACH_MB = 3


@dataclass(frozen=True)
class Size:
    """Compressed sizes in MB of 10^6 bytes: in `total`, and what the image `adds` to its base."""

    total: float
    adds: float


def figures(artifacts: Path) -> list[Figure]:
    """The figure of `make bench` for the size of the image."""
    base = compared_images.build_service(artifacts)
    adds = size_of(compared_images.SERVICE, base).adds
    return [Figure("what the image adds to its base, compressed", "MB", Spread(adds, adds, adds, 1), REACH_MB)]


def size_of(image: str, base: str) -> Size:
    """Measure an image, and what it adds to its base.

    Raises
    ------
    BenchmarkError
        The image does not start with the layers of the base.
    """
    below, layers = _layers(base), _layers(image)
    if layers[: len(below)] != below:
        raise BenchmarkError(f"{image} is not built on {base}")
    sizes = _compressed(image)
    return Size(sum(sizes) / 1e6, sum(sizes[len(below) :]) / 1e6)


def _layers(image: str) -> list[str]:
    words = ["docker", "image", "inspect", "--format", "{{json .RootFS.Layers}}", image]
    found: list[str] = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return found


def _compressed(image: str) -> list[int]:
    """The bytes of each layer, lowest first."""
    sizes: dict[str, int] = {}
    links: dict[str, str] = {}
    index: list[str] = []
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saving:
        with tarfile.open(fileobj=saving.stdout, mode="r|") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isreg() else None
                if member.issym():
                    # A layer that two images share, in the older layout.
                    links[member.name] = str(Path(member.name).parent.joinpath(member.linkname))
                elif content is not None and member.name == "manifest.json":
                    index = json.load(content)[0]["Layers"]
                elif content is not None:
                    sizes[member.name] = _gzipped(content)
        # Read to the end: docker writes more after the archive's last member.
        if saving.stdout is not None:
            saving.stdout.read()
    return [sizes[links.get(name, name)] for name in index]


def _gzipped(content: IO[bytes]) -> int:
    first = content.read(CHUNK)
    packer = None if first.startswith(b"\x1f\x8b") else zlib.compressobj(LEVEL, wbits=GZIP)
    size = 0
    while first:
        size += len(first) if packer is None else len(packer.compress(first))
        first = content.read(CHUNK)
    return size if packer is None else size + len(packer.flush())


def table(artifacts: Path) -> str:
    """Build all images, and compare their sizes in a Markdown table."""
    with tqdm(total=7, desc="images", leave=False) as bar:
        base = compared_images.build_service(artifacts)
        bar.update()
        for build in (compared_images.build_lean, compared_images.build_tutorial):
            build(base)
            bar.update()
        lines = ["| image | compressed | adds to its base |", "| --- | ---: | ---: |"]
        for label, image in (
            ("base", base),
            ("this service", compared_images.SERVICE),
            ("the tutorial's handler, scikit-learn and joblib alone", compared_images.LEAN),
            ("the tutorial's handler, everything that the tutorial installs", compared_images.TUTORIAL),
        ):
            size = size_of(image, base)
            lines.append(f"| {label} | {size.total:,.1f} MB | {size.adds:,.1f} MB |")
            bar.update()
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.image_size", description=__doc__.partition("\n")[0])
    parser.add_argument("--artifacts", type=Path, required=True, help="the artifact to serve")
    try:
        print(table(parser.parse_args().artifacts))
    except BenchmarkError as error:
        sys.exit(f"Cannot measure: {error}.")
