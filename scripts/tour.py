"""The tour in the README: an animated picture of the real pages, each with a line that says what it shows.

`make pictures` records it. The week of decisions on the last page is made by the service itself, from generated
applications; only its hours are spread over the week.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
WIDE, HIGH = 900, 640
DECISIONS, DAYS = 4_000, 7
# Decides generated applications; the log goes to standard output, as on Lambda.
DECIDE = """
import sys
from lambda_app.handler import handler
from model.applicant import Applicant
from model.contract.fields import fields_of
from model.data.applications import check_frame
from model.data.encoding import values_of
from model.data.generator import generate
fields = fields_of(Applicant)
rows = check_frame(generate(int(sys.argv[1]), 7), Applicant, source="tour", dated=None).matrix
for row in rows:
    handler(values_of(row, fields), None)
"""
# Draws a line of text over the lower edge of a page.
CAPTION = """text => {
  document.getElementById("tour")?.remove();
  const line = document.createElement("div");
  line.id = "tour";
  line.textContent = text;
  Object.assign(line.style, { position: "fixed", inset: "auto 0 0 0", zIndex: 9, padding: "14px 22px", color: "#fff",
    background: "#1b2733", font: "600 19px/1.35 system-ui, 'DejaVu Sans', sans-serif" });
  document.body.append(line);
}"""


class Recording:
    """Pictures of a page, and how long each is shown."""

    def __init__(self, tab: Page) -> None:
        self._tab = tab
        self._frames: list[tuple[bytes, int]] = []

    def show(self, caption: str, seconds: int) -> None:
        """Take a picture of what the page shows."""
        self._tab.evaluate(CAPTION, caption)
        self._frames.append((self._tab.screenshot(), 1000 * seconds))

    def save(self, path: Path) -> None:
        """Write an animation that plays for ever."""
        from PIL import Image

        pictures = [Image.open(io.BytesIO(content)).convert("RGB").quantize(128) for content, _ in self._frames]
        durations = [duration for _, duration in self._frames]
        pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True)


def record(browser: Browser, address: str, artifacts: Path, path: Path) -> None:
    """Record the tour.

    Parameters
    ----------
    browser : Browser
    address : str
        Where the service answers over plain HTTP.
    artifacts : Path
        The artifact that it serves, with its report.
    path : Path
        The animation, a GIF.
    """
    tab = browser.new_page(viewport={"width": WIDE, "height": HIGH}, color_scheme="light")
    tour = Recording(tab)
    tab.goto(address)
    tour.show("A form, built from the contract that the model carries", 8)
    tab.fill("#f0", "1")
    tab.fill("#f1", "45000.5")
    tab.focus("#f0")
    tour.show("What is typed is checked by the contract's own rules", 10)
    tab.fill("#f1", "45000")
    for field in ("f2", "f3"):
        tab.check(f"[name={field}][value='0']")
    tab.click("[type=submit]")
    tab.wait_for_selector("#explanation .change")
    tab.evaluate("document.getElementById('result').scrollIntoView({ block: 'start' })")
    tour.show("A denial, its reasons, and the smallest changes that would have led to an approval", 16)
    tab.fill("#f1", "87161")
    tab.click("[type=submit]")
    tab.wait_for_selector("#result.approve:visible")
    tab.evaluate("document.getElementById('result').scrollIntoView({ block: 'center' })")
    tour.show("Exactly: with that income the application is approved, with one less it is not", 10)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        tab.goto(_notice(scratch, artifacts))
        tour.show("For the denial, a draft of the notice of adverse action", 12)
        tab.goto(f"{address}/docs")
        tour.show("For developers, an OpenAPI document of the very contract, and its page", 10)
        report = (artifacts / "model_metrics.html").resolve().as_uri()
        tab.goto(report)
        tour.show("For the risk officer, a report on every model: may it serve, and what does it do to whom?", 16)
        tab.locator("#scorecard").evaluate("section => section.scrollIntoView()")
        tour.show("The whole model is a table of points for each field", 12)
        tab.goto(_week(scratch, artifacts))
        tour.show("In service: a page for each week, from a log that holds no applicant's values", 16)
    tour.save(path)
    tab.close()


def _notice(scratch: Path, artifacts: Path) -> str:
    request = {
        "application": {"Num_Children": 1, "Income": 45_000, "Own_Car": 0, "Own_Housing": 0},
        "about": {"name": "A. Applicant", "address": "1 Main Street\nSpringfield", "requested": "A credit card"},
    }
    creditor = {"name": "Example Bank", "address": "2 Bank Street", "telephone": "555-0100"}
    (scratch / "request.json").write_text(json.dumps(request))
    (scratch / "creditor.json").write_text(json.dumps(creditor))
    page = scratch / "notice.html"
    words = ["notice", "--artifact", str(artifacts), "--in", str(scratch / "request.json")]
    _run("model", *words, "--creditor", str(scratch / "creditor.json"), "--out", str(page))
    return page.as_uri()


def _week(scratch: Path, artifacts: Path) -> str:
    command = [sys.executable, "-c", DECIDE, str(DECISIONS)]
    environ = os.environ | {"MODEL_DIR": str(artifacts.resolve())}
    printed = subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=True).stdout
    ends = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = ends - timedelta(days=DAYS)
    lines = [json.loads(line) for line in printed.splitlines()]
    step = (ends - starts) / len(lines)
    for place, line in enumerate(lines):
        time = int((starts + place * step).timestamp() * 1000)
        if "_aws" in line:
            line["_aws"]["Timestamp"] = time
        else:
            line["time"] = time
    log = scratch / "log.jsonl"
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    page = scratch / "week.html"
    _run("operations", "report", "--artifact", str(artifacts), "--log", str(log), "--page", str(page))
    return page.as_uri()


def _run(package: str, *words: str) -> None:
    subprocess.run([sys.executable, "-m", package, *words], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
