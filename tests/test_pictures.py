"""The documentation's pictures are made by a script, and each one is shown."""

from __future__ import annotations

import re
from itertools import chain

from scripts.pictures import PICTURES, names
from tests.serving import ROOT

# `make bench` writes these.
MEASURED = {"docs/benchmarks.svg"}


def shown() -> set[str]:
    """The pictures that the pages show, as paths from the root."""
    found = set()
    for page in chain([ROOT / "README.md", ROOT / "CONTRIBUTING.md"], (ROOT / "docs").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        for link in re.findall(r'(?:src|srcset)="([^"]+)"|!\[[^\]]*\]\(([^)]+)\)', text):
            found.add((page.parent / "".join(link)).resolve().relative_to(ROOT).as_posix())
    return found


def test_every_picture_is_made_by_the_script() -> None:
    assert sorted(path.name for path in PICTURES.iterdir()) == sorted(names())


def test_every_picture_is_shown_and_every_shown_picture_exists() -> None:
    made = {(PICTURES / name).relative_to(ROOT).as_posix() for name in names()}
    assert shown() == made | MEASURED


def test_pictures_have_a_text_for_those_who_do_not_see_them() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.count("<img ") == len(re.findall(r'<img alt="[^"]{20,}"', readme)) > 0
