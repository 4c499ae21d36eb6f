"""Parts of the report for a notebook: the same sections and charts, in the same words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from model.report.page import context, environment

if TYPE_CHECKING:
    from model.alternatives.search import Alternatives
    from model.judge.assessment import Assessment
    from model.report.strips import Strips


@dataclass(frozen=True)
class Fragment:
    """A part of the report.

    Attributes
    ----------
    html : str
        With its styles, which touch nothing else on the page.
    text : str
        The same in plain words, for viewers that show no HTML and for those who do not see it.
    """

    html: str
    text: str

    def _repr_mimebundle_(self, **_wanted: object) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}


def section(assessment: Assessment, name: str, alternatives: Alternatives | None = None) -> Fragment:
    """A section of the report by its name, such as "groups" or "cutoff"."""
    part = environment().get_template(f"{name}.html.j2").render(**context(assessment, alternatives))
    return _styled(part, Markup(part).striptags())  # noqa: S704  # only the text is used


def chart(strips: Strips) -> Fragment:
    """A line chart."""
    return _styled(str(environment().get_template("macros.html.j2").module.strips(strips)), strips.alt)  # type: ignore[attr-defined]  # the module has the template's macros


def _styled(part: str, text: str) -> Fragment:
    style = environment().get_template("report.css").render()
    return Fragment(f'<style>\n{style}\n</style>\n<div class="report">\n{part}\n</div>', text)
