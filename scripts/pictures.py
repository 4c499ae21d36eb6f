"""Makes the pictures of the README and the documentation from the real pages: `make pictures`.

The report's pictures come from an artifact. Those of MLflow's pages come from two small training runs, recorded in a
database of their own. Every picture in `docs/pictures/` is listed here; `tests/test_pictures.py` checks that.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.error import URLError
from urllib.request import urlopen

from scripts import tour
from scripts.experiments import page_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, FloatRect, Page

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
REPORT = "model_metrics.html"
# Sections of the report that have a picture besides the first screen; each light and dark.
SECTIONS = ("scorecard", "denial")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
TOUR = "tour.gif"
# An application that is denied, as someone fills the form.
FILLED = {"#f0": "1", "#f1": "45000"}
RUNS = ("experiments-runs", "experiments-compared")
WIDE, HIGH = 1100, 760
SECONDS = 60.0


def names() -> list[str]:
    """The file of each picture."""
    pages = (*(f"report-{section}" for section in ("summary", *SECTIONS)), "form-denied")
    return [f"{page}-{scheme}.png" for page in pages for scheme in SCHEMES] + [f"{name}.png" for name in RUNS] + [TOUR]


def main(arguments: list[str] | None = None) -> int:
    """Make every picture."""
    parser = argparse.ArgumentParser(prog="pictures", description=__doc__)
    parser.add_argument("--artifacts", type=Path, required=True, help="an artifact with its report")
    chosen = parser.parse_args(arguments)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.stderr.write("Pictures are made with Chromium: apt-get install chromium\n")
        return 1
    # Where only the training environment is installed, the list of pictures can still be read.
    from playwright.sync_api import sync_playwright

    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        _report(browser, (chosen.artifacts / REPORT).resolve().as_uri())
        with _served(chosen.artifacts) as address:
            _form(browser, address)
            tour.record(browser, address, chosen.artifacts, PICTURES / TOUR)
        with tempfile.TemporaryDirectory() as name, _recorded_runs(Path(name)) as address:
            _experiments(browser, address)
        browser.close()
    for name in names():
        sys.stdout.write(f"  {PICTURES.relative_to(ROOT) / name}\n")
    return 0


def _report(browser: Browser, address: str) -> None:
    for scheme in SCHEMES:
        tab = browser.new_page(viewport={"width": WIDE, "height": HIGH}, color_scheme=scheme)
        tab.goto(address)
        ends = tab.locator("#summary").evaluate("section => section.getBoundingClientRect().bottom")
        whole: FloatRect = {"x": 0, "y": 0, "width": WIDE, "height": ends + 24}
        tab.screenshot(path=PICTURES / f"report-summary-{scheme}.png", clip=whole, full_page=True)
        # The navigation would cover a section's heading, and the picture's edge would touch the letters.
        tab.add_style_tag(content="nav { display: none !important } section { padding: 1.5rem !important }")
        for section in SECTIONS:
            tab.locator(f"#{section}").screenshot(path=PICTURES / f"report-{section}-{scheme}.png")
        tab.close()


@contextmanager
def _served(artifacts: Path) -> Iterator[str]:
    """The service over plain HTTP; yields its address."""
    port = _free_port()
    environment = os.environ | {"MODEL_DIR": str(artifacts), "HOST": "127.0.0.1", "PORT": str(port), "WORKERS": "1"}
    command = [sys.executable, "-m", "lambda_app.serve"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address)
            yield address
        finally:
            server.terminate()


def _form(browser: Browser, address: str) -> None:
    for scheme in SCHEMES:
        tab = browser.new_page(viewport={"width": 760, "height": HIGH}, color_scheme=scheme)
        tab.goto(address)
        for field, value in FILLED.items():
            tab.fill(field, value)
        for field in ("f2", "f3"):
            tab.check(f"[name={field}][value='0']")
        tab.click("[type=submit]")
        tab.wait_for_selector("#explanation .change")
        tab.screenshot(path=PICTURES / f"form-denied-{scheme}.png", full_page=True)
        tab.close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def _recorded_runs(scratch: Path) -> Iterator[str]:
    """Two recorded runs of different settings in MLflow's own server; yields its address."""
    uri = f"sqlite:///{scratch / 'mlflow.db'}"
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONPATH": str(ROOT),
    }
    for iterations in ("60", "150"):
        fixed = ["--rows", "20000", "--max-iter", iterations, "--most-iterations", iterations]
        command = [sys.executable, "-m", "model", "train", *fixed, "--out", str(scratch / iterations)]
        subprocess.run(command, cwd=scratch, env=environment, stdout=subprocess.DEVNULL, check=False)
    port = _free_port()
    command = [str(Path(sys.executable).with_name("mlflow")), "ui", "--backend-store-uri", uri, "--port", str(port)]
    with subprocess.Popen(
        [*command, "--workers", "1"],
        cwd=scratch,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address)
            yield address
        finally:
            os.killpg(server.pid, 15)


def _wait(address: str) -> None:
    ends = time.monotonic() + SECONDS
    while True:
        try:
            with urlopen(f"{address}/health", timeout=2):  # noqa: S310  # the address is built above
                return
        except (URLError, OSError):
            if time.monotonic() > ends:
                raise
            time.sleep(0.3)


def _experiments(browser: Browser, address: str) -> None:
    tab = browser.new_page(viewport={"width": 1400, "height": 640})
    # MLflow opens an assistant beside every page.
    for key, value in (("panelOpen_v1", "false"), ("fab.autoOpenedOnFirstLoad_v1", "true")):
        tab.add_init_script(f"localStorage.setItem('mlflow.assistant.{key}', '{value}')")
    tab.goto(page_of(address, "1"))
    tab.locator("a[href*='/runs/']").nth(1).wait_for()
    _settle(tab)
    tab.screenshot(path=PICTURES / "experiments-runs.png")
    runs = [link.get_attribute("href") or "" for link in tab.locator("a[href*='/runs/']").all()]
    found = list(dict.fromkeys(run.rsplit("/", 1)[-1].partition("?")[0] for run in runs))[:2]
    listed = ",".join(f'"{run}"' for run in found)
    tab.goto(f'{address}/#/compare-runs?runs=[{listed}]&experiments=["1"]&workflowType=machine_learning')
    tab.get_by_text("Comparing 2 Runs").first.wait_for()
    _settle(tab)
    tab.screenshot(path=PICTURES / "experiments-compared.png")
    tab.close()


def _settle(tab: Page) -> None:
    """Let the page's own requests and animations end; it never stops asking for news."""
    tab.wait_for_timeout(4_000)


if __name__ == "__main__":
    sys.exit(main())
