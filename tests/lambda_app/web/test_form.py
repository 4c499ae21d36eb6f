"""The page at `GET /`: built from any contract, without a hole for what a contract says, and kept to itself."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field

from model.contract import Contract, Outcome, Scored
from tests.artifacts import write_by_hand
from tests.pages import Page
from tests.serving import Answer, Service, strict_json

if TYPE_CHECKING:
    from pathlib import Path

NASTY = """</script><script>alert(1)</script>{script}{fields} " ' & <b>"""


class Awkward(Contract):
    """An application </title><script>alert(2)</script> {version}."""

    Whole: Annotated[
        int, Field(ge=-5, le=9, title=NASTY, description=NASTY), Scored("up", NASTY, "W", "W", change="up")
    ]
    Word: Annotated[
        Literal["</script>", "", " spaced ", "{contract}", '"', "f"] | None,
        Field(description="Six"),
        Scored("free", "w", "X", "X"),
    ] = None
    Few: Annotated[Literal["a", "b"] | None, Field(description="Two"), Scored("free", "w", "Y", "Y")] = None
    Real: Annotated[float, Field(ge=0, le=1.5, description="Real"), Scored("free", "u", "Z", "Z")]
    Flag: Annotated[int, Field(ge=0, le=1, description="Flag"), Scored("free", "u", "F", "F")]

    outcome: ClassVar[Outcome] = Outcome("Good", approve=1, deny=0)


def get(service: Service, path: str = "/", method: str = "GET") -> Answer:
    return service({"rawPath": path, "requestContext": {"http": {"method": method}}})


def awkward(directory: Path) -> Service:
    fields: list[Any] = [
        {"name": "Whole", "edges": [0.0], "points": [0.0, 1.0]},
        {"name": "Word", "words": ["</script>", "", " spaced ", "{contract}", '"', "f"], "points": [0.0] * 7},
        {"name": "Few", "words": ["a", "b"], "points": [0.0] * 3},
        {"name": "Real", "edges": [], "points": [0.0]},
        {"name": "Flag", "edges": [0.0], "points": [0.0, 1.0]},
    ]
    bins = {"fields": fields, "score": {"edges": [0.5], "shares": [0.5, 0.5]}}
    write_by_hand(directory, Awkward, model={"intercept": 0.0, "fields": fields}, bins=bins)
    return Service(directory)


@pytest.fixture(params=["/", "/docs"])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Answer:
    """Each page of the awkward contract."""
    return get(awkward(tmp_path), request.param)


def test_what_a_contract_says_stays_text(page: Answer) -> None:
    html = page.envelope["body"]
    read = Page.of(re.sub(r"<(input|link)\b[^>]*>", "", html))
    scripts = [each for each in read.every("script") if each.get("type") != "application/json"]
    assert len(scripts) == html.count('"use strict";') <= 1
    assert not read.every("b")
    assert "alert(1)" not in html or NASTY in read.text


def test_the_policy_names_the_very_script_and_style(page: Answer) -> None:
    html, policy = page.envelope["body"], page.envelope["headers"]["Content-Security-Policy"]
    for kind in ("script", "style"):
        found = [hashed(text) for text in re.findall(rf"<{kind}>(.*?)</{kind}>", html, re.DOTALL)]
        assert re.findall(rf"{kind}-src ([^;]+)", policy) == [f"'{hash_}'" for hash_ in found] or ["'none'"]
        for hash_ in found:
            assert f"{kind}-src '{hash_}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def hashed(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_nothing_is_fetched_from_elsewhere(page: Answer) -> None:
    html = page.envelope["body"]
    assert not re.search(r"""(src|action|srcset|poster|data)\s*=\s*["']""", html.replace("data-", ""))
    assert set(re.findall(r'href="([^"#][^"]*)"', html)) <= {"data:,", "openapi.json"}
    assert not re.search(r"url\(|@import|style=", html)


def test_every_field_has_a_control_a_label_and_a_place_for_its_error(tmp_path: Path) -> None:
    html = get(awkward(tmp_path)).envelope["body"]
    contract = strict_json(re.findall(r'id="contract">(.*?)</script>', html, re.DOTALL)[0])
    assert [field["name"] for field in contract["fields"]] == ["Whole", "Word", "Few", "Real", "Flag"]
    assert contract["changes"] is True
    for place in range(5):
        assert re.search(rf'(<input [^>]*|<select [^>]*)name="f{place}"', html)
        assert f'id="f{place}-error" hidden' in html
        assert f'for="f{place}"' in html or re.search(rf'<fieldset class="field" id="f{place}-box"[^>]*><legend>', html)
    assert html.count("(optional)") == 2
    assert html.count("Not stated") == 2
    assert "From -5 to 9" in html
    assert "From 0 to 1.5" in html
    assert re.search(r'name="f0" inputmode="text"', html), "a phone's keyboard for numbers has no minus"


def test_a_form_is_not_logged_and_not_cached(service: Service) -> None:
    answer = get(service)
    assert (answer.status, answer.printed) == (200, "")
    assert answer.envelope["headers"]["Cache-Control"] == "no-store"
    head = get(service, method="HEAD").envelope
    assert (head["headers"], head["body"]) == (answer.envelope["headers"], "")
