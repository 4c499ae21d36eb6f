"""The form in a browser: for any contract, by mouse and by keyboard, whatever the service or the network does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

import pytest

from lambda_app import artifact
from lambda_app.changes import Changes
from lambda_app.decision import Decider
from tests.browser.browsing import FAULTS, chromium
from tests.web.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Route

    from lambda_app.manifest import Application
    from model.run import TrainingRun

pytestmark = pytest.mark.browser
DENIED = {"Num_Children": 0, "Income": 20_000, "Own_Car": 0, "Own_Housing": 0}


class Form:
    """The page of one model, and the model itself to compare with."""

    def __init__(self, tab: Page, address: str, directory: Path) -> None:
        self.tab = tab
        self.opened = artifact.load(str(directory))
        self.fields = self.opened.manifest["contract"]["fields"]
        self.logged: list[str] = []
        self.requested: list[str] = []
        tab.on("console", lambda message: self.logged.append(message.text))
        tab.on("pageerror", lambda error: self.logged.append(str(error)))
        tab.on("request", lambda request: self.requested.append(request.url))
        tab.goto(address)

    def fill(self, application: Application) -> None:
        """Enter an application as a person does."""
        for place, field in enumerate(self.fields):
            value, control = application.get(field["name"]), f"[name=f{place}]"
            if field["kind"] in ("int", "float"):
                self.tab.fill(control, "" if value is None else str(value))
                continue
            number = "" if value is None else str(field["words"].index(value) if field["words"] else value)
            if self.tab.locator(control).first.evaluate("node => node.tagName") == "SELECT":
                self.tab.select_option(control, number)
            else:
                self.tab.check(f'{control}[value="{number}"]')

    def decide(self) -> str:
        """Send what was entered; the heading of what comes back."""
        self.tab.click("[type=submit]")
        self.tab.wait_for_selector("#outcome:visible")
        return self.tab.inner_text("#outcome")

    def error_of(self, place: int) -> str:
        """What stands beside a field."""
        return self.tab.inner_text(f"#f{place}-error")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the file."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def addresses(by_hand: Path, mixed: TrainingRun, example_directory: Path) -> Iterator[dict[str, tuple[str, Path]]]:
    """Three contracts, each served."""
    directories = {"default": by_hand, "mixed": mixed.directory, "example": example_directory}
    with serving(by_hand) as one, serving(mixed.directory) as two, serving(example_directory) as three:
        yield {name: (at, directories[name]) for name, at in zip(directories, (one, two, three), strict=True)}


@pytest.fixture
def form(browser: Browser, addresses: dict[str, tuple[str, Path]]) -> Iterator[Form]:
    """The form of the default contract."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    yield Form(tab, *addresses["default"])
    tab.close()


APPROVED_AND_DENIED: dict[str, tuple[Application, Application]] = {
    "default": ({**DENIED, "Income": 500_000, "Own_Housing": 1}, DENIED),
    "mixed": (
        {"Amount": 900.5, "Home": "own", "Guarantor": 1, "Constant": 3, "Years": 12, "Savings": 5000.0},
        {"Amount": 20_000.5, "Home": "rent", "Guarantor": 0, "Constant": 3, "Savings": 0.0, "Job": "none"},
    ),
    "example": (
        {"Seniority": 12, "Home": "owner", "Time": 36, "Records": "no", "Job": "fixed", "Expenses": 50}
        | {"Income": 210.0, "Assets": 6500.0, "Debt": 0.0, "Amount": 800, "Price": 1600},
        {"Seniority": 1, "Home": "rent", "Time": 48, "Records": "no", "Job": "partime", "Expenses": 45}
        | {"Income": 90.5, "Debt": 0.0, "Amount": 1000, "Price": 1550},
    ),
}


@pytest.mark.parametrize("contract", APPROVED_AND_DENIED)
def test_a_person_gets_the_decision_its_reasons_and_what_would_change_it(
    contract: str, browser: Browser, addresses: dict[str, tuple[str, Path]]
) -> None:
    tab = browser.new_page(viewport={"width": 360, "height": 740})
    form = Form(tab, *addresses[contract])
    approved, denied = APPROVED_AND_DENIED[contract]

    form.fill(approved)
    assert form.decide() == "Approved"
    assert tab.evaluate("document.activeElement.id") == "outcome", "a screen reader hears the decision"

    form.fill(denied)
    assert tab.locator("#result").is_hidden(), "an old decision does not stand beside new details"
    assert form.decide() == "Denied"
    decider = Decider(form.opened)
    reasons = decider.decide(denied, "").answer["reasons"]
    assert tab.locator("#explanation ol li").all_inner_texts() == [reason["text"] for reason in reasons]

    # What is offered is what the tables say, in words; entered, it is approved
    ways = Changes(form.opened).ways(decider.score(denied))
    tab.wait_for_selector("#explanation .change")
    offered = tab.locator("#explanation .change li").all_inner_texts()
    assert len(offered) == len(ways["one"]) + len(ways["two"]) > 0
    changes = ways["one"][:1] or ways["two"]
    titles = form.opened.manifest["contract"]["json_schema"]["properties"]
    for change, text in zip([*ways["one"], *ways["two"]], offered, strict=True):
        assert text.startswith(f"{titles[change['field']]['title']}: ")
    form.fill(denied | {change["field"]: change["to"] for change in changes})
    assert form.decide() == "Approved"
    assert {re.sub(r"\?.*", "", url.rpartition("/")[2]) for url in form.requested} <= {"", "predict", "changes"}
    assert form.logged == []
    tab.close()


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        pytest.param("1.5", "Enter a whole number in digits alone, such as 1200.", id="decimals"),
        pytest.param("1,000", "Enter a whole number in digits alone, such as 1200.", id="separator"),
        pytest.param("0x10", "Enter a whole number in digits alone, such as 1200.", id="hexadecimal"),
        pytest.param("-1", "Enter a number from 0 to 10,000,000.", id="below"),
        pytest.param("1" * 400, "Enter a number from 0 to 10,000,000.", id="above"),
    ],
)
def test_a_wrong_number_is_told_beside_its_field_as_it_is_left(typed: str, error: str, form: Form) -> None:
    form.tab.fill("#f1", typed)
    assert form.error_of(1) == ""
    form.tab.focus("#f0")
    assert form.error_of(1) == error
    assert form.tab.get_attribute("#f1", "aria-invalid") == "true"
    assert "f1-error" in (form.tab.get_attribute("#f1", "aria-describedby") or "")
    # While it is mended, the message goes with the last wrong key
    form.tab.fill("#f1", "20000")
    assert form.error_of(1) == ""
    assert form.tab.get_attribute("#f1", "aria-invalid") is None


def test_what_is_wrong_or_missing_is_listed_and_nothing_is_sent(form: Form) -> None:
    form.tab.fill("#f0", "many")
    form.tab.click("[type=submit]")
    listed = form.tab.locator("#faults li").all_inner_texts()
    assert [text.partition(":")[0] for text in listed] == ["Children", "Yearly income", "Owns a car", "Owns their home"]
    assert form.tab.evaluate("document.activeElement.id") == "faults"
    form.tab.click("#faults li:nth-child(2) a")
    assert form.tab.evaluate("document.activeElement.id") == "f1"
    assert not [url for url in form.requested if url.endswith("predict")]


def test_a_message_that_appears_takes_no_click_away(form: Form) -> None:
    form.tab.fill("#f0", "1.5")
    form.tab.click("[name=f2][value='1']")  # leaves the wrong field, whose message moves the button
    assert form.tab.is_checked("[name=f2][value='1']")
    form.tab.wait_for_selector("#f0-error:visible")  # once the button of the mouse is up


def test_by_keyboard_alone(form: Form) -> None:
    keys = form.tab.keyboard
    for text in ("Tab", "2", "Tab", "500000", "Tab", "Space", "Tab", "ArrowRight"):
        if text.isdecimal():
            keys.type(text)
        else:
            keys.press(text)
    assert form.tab.is_checked("[name=f2][value='0']")
    assert form.tab.is_checked("[name=f3][value='1']")
    keys.press("Enter")
    form.tab.wait_for_selector("#outcome:visible")
    assert form.tab.inner_text("#outcome") == "Approved"


def answer(status: int, body: str) -> Any:
    return lambda route: route.fulfill(status=status, body=body, content_type="application/json")


def hang_up(route: Route) -> None:
    route.abort("connectionreset")


@pytest.mark.parametrize(
    ("reply", "heading"),
    [
        pytest.param(answer(500, '{"request_id":"r-1"}'), "The service could not decide", id="failure"),
        pytest.param(answer(503, '{"request_id":"r-1"}'), "No decision today", id="expired"),
        pytest.param(answer(502, "<html>Bad gateway"), "The answer could not be read", id="gateway"),
        pytest.param(answer(200, "{}"), "The answer could not be read", id="no-decision"),
        pytest.param(hang_up, "The service cannot be reached", id="hung-up"),
    ],
)
def test_a_failure_is_told_and_keeps_what_was_entered(reply: Any, heading: str, form: Form) -> None:
    form.tab.route("**/predict", reply)
    form.fill(DENIED)
    assert form.decide() == heading
    assert form.tab.input_value("#f1") == "20000"
    # And the next try is as good as the first
    form.tab.unroute("**/predict")
    assert form.decide() == "Denied"


def test_a_rule_that_only_the_service_knows_is_shown_beside_its_field(form: Form) -> None:
    broken = {"errors": [{"field": "Income", "rule": "x", "detail": "Too round"}, {"field": None, "detail": "Odd"}]}
    form.tab.route("**/predict", answer(422, json.dumps(broken)))
    form.fill(DENIED)
    form.tab.click("[type=submit]")
    form.tab.wait_for_selector("#faults:visible")
    assert form.error_of(1) == "Too round."
    assert form.tab.locator("#faults li").all_inner_texts() == ["Yearly income: Too round.", "Odd"]


def test_offline_and_without_the_changes(form: Form) -> None:
    form.fill(DENIED)
    form.tab.context.set_offline(True)
    assert form.decide() == "You are offline"
    form.tab.context.set_offline(False)
    form.tab.route("**/changes", hang_up)
    assert form.decide() == "Denied"
    form.tab.wait_for_selector("text=could not be looked up")


def test_a_slow_service_is_waited_for_and_asked_once(form: Form) -> None:
    form.tab.clock.install()
    waiting: list[Route] = []
    form.tab.route("**/predict", lambda route: waiting.append(route))  # playwright inspects it
    form.fill(DENIED)
    form.tab.click("[type=submit]")
    assert form.tab.inner_text("#progress") == "Deciding …"
    form.tab.clock.fast_forward(5_000)
    assert form.tab.inner_text("#progress").startswith("Still deciding")
    form.tab.click("[type=submit]", force=True)  # an impatient person's, who does not mind that it is disabled
    form.tab.press("#f1", "Enter")
    assert len(waiting) == 1
    waiting[0].continue_()
    form.tab.wait_for_selector("#outcome:visible")
    assert form.tab.inner_text("#progress") == ""


def test_clearing_forgets_everything_also_an_answer_on_its_way(form: Form) -> None:
    waiting: list[Route] = []
    form.tab.route("**/predict", lambda route: waiting.append(route))  # playwright inspects it
    form.fill(DENIED)
    form.tab.click("[type=submit]")
    form.tab.click("[type=reset]")
    with form.tab.expect_response("**/predict"):
        waiting[0].continue_()
    form.tab.wait_for_timeout(100)
    assert form.tab.locator("#result").is_hidden()
    assert form.tab.input_value("#f1") == ""


def test_nothing_is_kept(form: Form) -> None:
    form.fill(DENIED)
    form.decide()
    assert form.tab.evaluate("[localStorage.length, sessionStorage.length, document.cookie, location.search]") == [
        *(0, 0, "", ""),
    ]
    form.tab.reload()
    assert form.tab.input_value("#f1") == ""
    form.fill(DENIED)
    form.tab.goto("about:blank")
    form.tab.go_back()
    assert form.tab.input_value("#f1") == ""


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("contract", ["default", "example"])
def test_every_state_can_be_read(
    contract: str,
    scheme: Literal["light", "dark"],
    width: int,
    browser: Browser,
    addresses: dict[str, tuple[str, Path]],
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    form = Form(tab, *addresses[contract])

    def look(state: str) -> None:
        found = [(each["id"], each["nodes"][0]["html"][:200]) for each in Axe().run(tab).response["violations"]]
        assert (state, found) == (state, [])
        assert (state, tab.evaluate(FAULTS)["faults"]) == (state, [])

    look("empty")
    tab.click("[type=submit]")
    look("wrong")
    form.fill(APPROVED_AND_DENIED[contract][1])
    form.decide()
    tab.wait_for_selector("#explanation .change")
    look("denied")
    tab.goto(f"{addresses[contract][0]}/docs")
    tab.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    look("docs")
    assert form.logged == []
    tab.close()
