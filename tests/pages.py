"""Reads an HTML page for the tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "img", "br"}


@dataclass
class Page(HTMLParser):
    """The parts of a page that the tests look at."""

    text: str = ""
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, html: str) -> Page:
        """Parse a page; tags that are not closed in order raise an AssertionError."""
        page = cls()
        HTMLParser.__init__(page)
        page.feed(html)
        page.close()
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag in ("td", "th"):
            self.text += " "

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data
        if self.open and self.open[-1] == "data":
            self.tags[-1][1]["text"] = data

    def every(self, name: str) -> list[dict[str, str | None]]:
        """The attributes of every tag with this name."""
        return [attributes for tag, attributes in self.tags if tag == name]

    def words(self) -> str:
        """The text with single spaces."""
        return " ".join(self.text.split())
