"""Notices on paper: each of a thousand random denials fits on one page, and states nothing but scored fields."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from lambda_app.artifact import load
from lambda_app.settings import Settings
from lambda_app.web.messages import Request
from lambda_app.web.notice import LONGEST, MOST_LINES
from lambda_app.web.routes import Routes
from model.contract.carried import carried_fields
from tests.browser.browsing import chromium
from tests.lambda_app.web.test_notice import CREDITOR, LISTED
from tests.near_edges import beside, sent

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.browser
NOTICES = 1_000
# As long as each may be.
LONG = {
    "name": "N" * LONGEST,
    "address": ("Street 1\n" * (MOST_LINES - 1)) + "S" * 80,
    "requested": "R" * LONGEST,
    "reference": "f" * 64,
}


def post(routes: Routes, path: str, payload: object) -> str:
    """The body of the answer."""
    return str(routes.respond(Request("test", "POST", path, lambda: payload), "r").body)


def test_every_notice_is_one_page_of_scored_fields(example_directory: Path, tmp_path: Path) -> None:
    opened = load(str(example_directory))
    names = {field["name"] for field in opened.manifest["contract"]["fields"]}
    specs = carried_fields(opened.manifest["contract"])
    routes = Routes(opened, Settings.read({"CREDITOR": json.dumps(CREDITOR)}))
    decide = Routes(opened, Settings.read({}))
    pages: list[str] = []
    head = ""
    for row in beside(opened.manifest["bins"], specs, 4 * NOTICES, seed=11):
        application = sent(row, specs)
        answer = json.loads(post(decide, "/predict", application))
        if answer["decision"] == "approve" or len(pages) == NOTICES:
            continue
        body = {"application": application, "about": LONG}
        html = post(routes, "/notice", body)
        listed = LISTED.findall(html)
        reasons, factors = listed[: len(listed) // 2], listed[len(listed) // 2 :]
        assert 1 <= len(reasons) <= 4
        assert reasons == factors == [(each["field"], each["code"], each["text"]) for each in answer["reasons"]]
        assert {field for field, _, _ in reasons} <= names
        head = html[: html.index("<main>")]
        pages.append(html[html.index("<main>") : html.index("</body>")])
    assert len(pages) == NOTICES
    (tmp_path / "all.html").write_text(head + "<style>main { break-after: page }</style>" + "".join(pages))
    with chromium() as browser:
        tab = browser.new_page()
        tab.goto((tmp_path / "all.html").as_uri())
        for paper in ("Letter", "A4"):
            tab.pdf(path=tmp_path / "all.pdf", format=paper)
            printed = len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "all.pdf").read_bytes()))
            assert NOTICES <= printed <= NOTICES + 1  # the last break may leave an empty page
