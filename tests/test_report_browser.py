"""The page of ``bundleimp report`` in Chromium: clicked through, by keyboard, light and dark, without any load."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("selenium")
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from .browser import chromium, complaints_of, needs_chromium, requests_of
from .builders import Tree, make_bundle
from .command_line import bundleimp_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver.chrome.webdriver import WebDriver
    from selenium.webdriver.remote.webelement import WebElement

pytestmark = needs_chromium

LINES = "".join(f"def function_{number}(argument):\n    return argument + {number}\n" for number in range(300))
DENSE = random.Random(0).randbytes(50_000)  # noqa: S311 (data that no compression makes smaller)
TREE: Tree = {
    "alpha/__init__.py": LINES + "import json\nfrom . import early\n",
    "alpha/early.py": LINES,
    "alpha/deep/__init__.py": "",
    "alpha/deep/one.py": LINES,
    "alpha/deep/two.py": LINES,
    "alpha/table.txt": "row\n" * 5000,
    "alpha/part.so": DENSE[:9000],
    "<img src=x onerror=window.hacked=1></script><script>window.hacked=2<": DENSE[:30000],
    "{a|b} \u202egnp.txt": DENSE[30000:],
}


@pytest.fixture(name="page", scope="module")
def _page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    bundle = make_bundle(folder / "app.pybundle", TREE)
    bundleimp_command("report", bundle, "-o", folder / "page.html", "--profile=-c 'import alpha'")
    return folder / "page.html"


@pytest.fixture(name="driver", scope="module")
def _driver(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        driver.get(page.as_uri())
        yield driver
        # After all that the tests did: nothing was asked for but the page, and nothing was complained about.
        assert requests_of(driver, page.as_uri()) == {page.as_uri()}
        assert complaints_of(driver) == []
        assert driver.execute_script("return [window.hacked, document.querySelectorAll('img').length]") == [None, 0]


@pytest.fixture(autouse=True)
def _fresh(driver: WebDriver) -> None:
    driver.refresh()


def texts(driver: WebDriver, selector: str) -> list[str]:
    return [element.text for element in driver.find_elements(By.CSS_SELECTOR, selector)]


def crumbs(driver: WebDriver) -> list[str]:
    return texts(driver, "#crumbs button")


def rows(driver: WebDriver) -> list[str]:
    return texts(driver, "#folder tbody td:first-child")


def ink(driver: WebDriver, chart: str) -> int:
    """Return how many colours the canvas of a *chart* has."""
    script = """
        const canvas = document.querySelector(arguments[0] + " canvas");
        const {width, height} = canvas;
        const copy = Object.assign(document.createElement("canvas"), {width, height});
        const context = copy.getContext("2d", {willReadFrequently: true});
        context.drawImage(canvas, 0, 0);
        const data = context.getImageData(0, 0, width, height).data;
        return new Set(new Uint32Array(data.buffer)).size;
    """
    return int(driver.execute_script(script, chart))


def tab_to(driver: WebDriver, selector: str, key: str = Keys.TAB) -> WebElement:
    """Press *key* until an element that *selector* describes has the focus, and is seen to have it; return it."""
    for _ in range(80):
        ActionChains(driver).send_keys(key).perform()
        element = driver.switch_to.active_element
        assert element.value_of_css_property("outline-style") != "none" or element.tag_name == "body"
        if driver.execute_script("return arguments[0].matches(arguments[1])", element, selector):
            return element
    pytest.fail(f"no way to {selector} by keyboard")


def test_the_page_shows_both_charts_light_and_dark(driver: WebDriver, tmp_path: Path) -> None:
    backgrounds = set()
    for theme in ("light", "dark"):
        Select(driver.find_element(By.ID, "theme")).select_by_value(theme)
        backgrounds.add(driver.find_element(By.TAG_NAME, "body").value_of_css_property("background-color"))
        assert ink(driver, "#treemap") > 10
        assert ink(driver, "#waterfall") > 10
        assert driver.save_screenshot(str(tmp_path / f"{theme}.png"))
    assert len(backgrounds) == 2


@pytest.mark.parametrize(
    ("scheme", "background"), [("light", "rgba(255, 255, 255, 1)"), ("dark", "rgba(21, 24, 28, 1)")]
)
def test_the_colours_are_those_of_the_system(driver: WebDriver, scheme: str, background: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    assert driver.find_element(By.TAG_NAME, "body").value_of_css_property("background-color") == background
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_click_on_the_treemap_opens_what_was_clicked(driver: WebDriver) -> None:
    chart = driver.find_element(By.ID, "treemap")
    assert crumbs(driver) == ["app.pybundle"]
    ActionChains(driver).move_to_element(chart).click().perform()
    assert crumbs(driver) == ["app.pybundle", "own-files"]
    assert "alpha" in rows(driver)
    assert ink(driver, "#treemap") > 10
    driver.find_element(By.CSS_SELECTOR, "#crumbs button").click()
    assert crumbs(driver) == ["app.pybundle"]


def test_what_the_pointer_is_on_is_told_as_text(driver: WebDriver) -> None:
    driver.find_element(By.CSS_SELECTOR, "#folder tbody button").click()
    chart = driver.find_element(By.ID, "treemap")
    seen = set()
    for x, y in [(x, y) for x in range(-550, 560, 110) for y in (-180, -60, 60, 180)]:
        ActionChains(driver, duration=0).move_to_element_with_offset(chart, x, y).perform()
        seen |= set(texts(driver, ".tip > div:first-child"))
    assert any("<img src=x" in text for text in seen)
    assert any("\\u202egnp" in text for text in seen)


def test_kinds_can_be_left_out(driver: WebDriver) -> None:
    before = texts(driver, "#folder-caption")
    driver.find_element(By.NAME, "bytecode").click()
    assert texts(driver, "#folder-caption") != before
    assert ink(driver, "#treemap") > 5


def test_folders_are_opened_by_keyboard(driver: WebDriver) -> None:
    tab_to(driver, "#folder tbody button").send_keys(Keys.ENTER)
    assert crumbs(driver) == ["app.pybundle", "own-files"]
    assert driver.switch_to.active_element.get_attribute("aria-current") == "location"
    tab_to(driver, "#folder tbody button").send_keys(Keys.ENTER)
    assert crumbs(driver) == ["app.pybundle", "own-files", "alpha"]
    assert {"table.txt", "deep", "part.so"} <= set(rows(driver))
    ActionChains(driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert crumbs(driver) == ["app.pybundle"]


def test_tables_are_sorted_by_keyboard(driver: WebDriver) -> None:
    head = tab_to(driver, "#folder thead th:last-child button")
    for order in ("descending", "ascending"):
        head.send_keys(Keys.ENTER)
        members = [int(text) for text in texts(driver, "#folder tbody td:last-child")]
        assert members == sorted(members, reverse=order == "descending")
        assert texts(driver, f"#folder th[aria-sort={order}]") == ["Members"]


def test_imports_are_opened_and_closed_by_keyboard(driver: WebDriver) -> None:
    assert "json" in texts(driver, "#imports tbody bdi")
    for state in ("false", "true"):
        button = tab_to(driver, "#imports tbody button") if state == "false" else driver.switch_to.active_element
        button.send_keys(Keys.ENTER)
        assert driver.switch_to.active_element.get_attribute("aria-expanded") == state
        assert ("json" in texts(driver, "#imports tbody bdi")) is (state == "true")


def test_a_click_on_the_waterfall_closes_what_was_clicked(driver: WebDriver) -> None:
    chart = driver.find_element(By.ID, "waterfall")
    height = chart.size["height"]
    first_row = 32 + 11 - height / 2
    ActionChains(driver).scroll_to_element(chart).move_to_element_with_offset(
        chart, 0, int(first_row)
    ).click().perform()
    assert "json" not in texts(driver, "#imports tbody bdi")
    assert chart.size["height"] < height


def test_the_parts_of_the_page_have_headings_and_labels(driver: WebDriver) -> None:
    assert texts(driver, "h2") == ["Sizes", "Start", "Real files", "Where it runs", "Check"]
    for element in driver.find_elements(By.CSS_SELECTOR, "select, input, [role=img], [role=region], nav, section"):
        assert element.accessible_name
    for table in driver.find_elements(By.TAG_NAME, "table"):
        assert table.find_elements(By.TAG_NAME, "caption")
    names = [link.get_attribute("href") for link in driver.find_elements(By.CSS_SELECTOR, "header a, .skip")]
    assert all(driver.find_elements(By.ID, str(name).rpartition("#")[2]) for name in names)
