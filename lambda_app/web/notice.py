"""The notice of adverse action at `POST /notice`: a draft for counsel, in the layout of form C-1 of Regulation B.

Sources: 12 CFR part 1002, appendix C, form C-1, and section 1002.9(b) (the reasons and the ECOA notice); section 615(a)
of the Fair Credit Reporting Act, 15 U.S.C. 1681m(a) (the part about a consumer report). The reasons are the principal
ones of the decision and nothing else, each about one scored field (`lambda_app.reasons`).
"""

from __future__ import annotations

import re
import time
from html import escape
from math import exp

from lambda_app.errors import Malformed
from lambda_app.web.pages import filled, html_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Answer, Reason
    from lambda_app.web.messages import Response

# What a request may say besides the application.
ABOUT = ("name", "address", "requested", "reference", "date")
# So that the letter stays one page.
LONGEST = 120
MOST_LINES = 5
# A few lines without control characters or such that are invisible or turn the direction of writing.
_LINE = r"[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*"
PATTERN = rf"^({_LINE}\n){{0,{MOST_LINES - 1}}}{_LINE}$"
_TEXT = re.compile(PATTERN)
# Half of a character, which UTF-8 cannot encode.
_HALF = re.compile("[\ud800-\udfff]")
# What is to be filled in by hand.
BLANK = "_" * 24


def parted(payload: object) -> tuple[object, dict[str, str]]:
    """The application and what the letter says about it, from `{"application": {…}, "about": {…}}`.

    Raises
    ------
    Malformed
    """
    if not isinstance(payload, dict) or "application" not in payload or not payload.keys() <= {"application", "about"}:
        raise Malformed('Send {"application": {...}}, and maybe "about" with what the letter says besides')
    about = payload.get("about", {})
    if not isinstance(about, dict) or not about.keys() <= set(ABOUT):
        raise Malformed(f"about is an object of {', '.join(ABOUT)}")
    for name, text in about.items():
        if not isinstance(text, str) or len(text) > LONGEST or not _TEXT.fullmatch(text) or _HALF.search(text):
            raise Malformed(f"about.{name} is a text of at most {LONGEST} characters in {MOST_LINES} lines")
    return payload["application"], about


def page(artifact: Artifact, answer: Answer, about: dict[str, str], creditor: dict[str, Any]) -> Response:
    """The notice of a denial.

    Parameters
    ----------
    artifact : Artifact
        That decided.
    answer : Answer
        The denial.
    about : dict of str to str
        What the request says of the applicant; what is missing stays an empty line.
    creditor : dict
        See `lambda_app.settings`; what is missing stays an empty line, too.
    """
    date = about.get("date") or time.strftime("%Y-%m-%d", time.gmtime())
    report = ""
    if artifact.manifest["contract"].get("report_fields"):
        low, high = _range(artifact)
        agency = creditor.get("report_agency", {})
        report = filled(
            "notice_report.html",
            **{name: escape(agency.get(name, "")) for name in ("name", "address", "telephone")},
            score=_points(answer["probability"]),
            date=escape(date),
            low=_points(low),
            high=_points(high),
            factors=_listed(answer["reasons"]),
        )
    return html_response(
        "notice",
        title="Statement of credit denial (draft)",
        date=escape(date),
        reference=escape(about.get("reference") or answer["request_id"]),
        **{name: escape(about.get(name, "")) for name in ("name", "address", "requested")},
        reasons=_listed(answer["reasons"]),
        report=report,
        **{f"creditor_{name}": escape(creditor.get(name) or BLANK) for name in ("name", "address", "telephone")},
        agency=escape(creditor.get("agency") or "[name and address, from appendix A of Regulation B]"),
    )


def _listed(reasons: list[Reason]) -> str:
    return "".join(
        f'<li data-field="{escape(reason["field"])}" data-code="{escape(reason["code"])}">{escape(reason["text"])}</li>'
        for reason in reasons
    )


def _points(probability: float) -> str:
    """The score as a letter states it: the probability of being creditworthy, in thousandths."""
    return f"{1000 * probability:.0f}"


def _range(artifact: Artifact) -> tuple[float, float]:
    """The lowest and the highest probability that the model can give; 0 and 1 unless tables say better."""
    tables = getattr(artifact.scorer, "tables", None)
    if tables is None:
        return 0.0, 1.0
    ends = [tables["intercept"] + sum(end(field["points"]) for field in tables["fields"]) for end in (min, max)]
    return 1.0 / (1.0 + exp(-ends[0])), 1.0 / (1.0 + exp(-ends[1]))
