"""The report in a browser: it fits the screen and makes no requests."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from model.report import page

if TYPE_CHECKING:
    from model.run import TrainingRun


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_fits_the_screen_and_loads_nothing(small: TrainingRun, width: int) -> None:
    # given
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    from playwright.sync_api import sync_playwright

    # when
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": width, "height": 800})
        requests: list[str] = []
        logged: list[str] = []
        tab.on("request", lambda request: requests.append(request.url))
        tab.on("console", lambda message: logged.append(message.text))
        tab.goto((small.directory / page.FILE).as_uri())
        wide = tab.evaluate("document.documentElement.scrollWidth")
        drawn = tab.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
        browser.close()

    # then
    assert wide <= width
    assert drawn
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert logged == []
