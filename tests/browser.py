"""Debian's Chromium without a window, for tests of pages: driven by Selenium, and without a network."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver.chrome.webdriver import WebDriver

CHROMIUM, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="needs Chromium and its driver (apt-get install chromium chromium-driver)",
)


@contextmanager
def chromium(folder: Path) -> Iterator[WebDriver]:
    """Start a browser whose files are in *folder*, and end it."""
    from selenium.webdriver import ChromeOptions  # noqa: PLC0415 (not every Python has it)
    from selenium.webdriver.chrome.service import Service  # noqa: PLC0415
    from selenium.webdriver.chrome.webdriver import WebDriver  # noqa: PLC0415

    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in (
        "--headless=new",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={folder}",
        "--window-size=1280,1000",
    ):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # root has none
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # The driver's path is given, so that Selenium does not look for one in the network.
    driver = WebDriver(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def requests_of(driver: WebDriver, page: str) -> set[str]:
    """Return the addresses that the document *page* has asked for since the last call."""
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]  # type: ignore[no-untyped-call]
    asked = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return {each["request"]["url"] for each in asked if each["documentURL"] == page}


def complaints_of(driver: WebDriver) -> list[str]:
    """Return what the console has said since the last call."""
    return [entry["message"] for entry in driver.get_log("browser")]  # type: ignore[no-untyped-call]
