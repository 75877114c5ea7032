"""Everybody can use the page: axe-core finds nothing serious in it, and fingers meet what they aim
at, on the smallest phone and on its side."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.serving.page.conftest import Open

SIZES = {"desk": (1280, 800), "phone": (320, 568), "side": (640, 320)}
# What can be pressed and is seen, smaller than 44 pixels; texts in a line are let off.
SMALL = """() => [...document.querySelectorAll(
    'button, .nav-link, select, [role=button], .q-slider, .q-field--outlined')]
    .filter((one) => one.checkVisibility({visibilityProperty: true, opacityProperty: true}))
    .filter((one) => !one.closest('.q-tooltip, .hidden, .q-table__bottom, .drop'))
    .map((one) => [one.getBoundingClientRect(), one])
    .filter(([box]) => box.width && (box.height < 44 || box.width < 44))
    .map(([box, one]) => `${box.width}x${box.height} ${one.outerHTML.slice(0, 100)}`)"""
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def serious(page: Page, *, over: bool) -> list[str]:
    """What axe-core finds in the page as it stands, of those findings that shut somebody out.

    Args:
        over: whether something lies over the page. Then axe-core misses the backgrounds of buttons,
            and asks for no contrast; they are the same buttons as in the views before.
    """
    options = {
        "rules": {"color-contrast": {"enabled": not over}},
        "resultTypes": ["violations"],  # what passed is not described, which takes half the time
    }
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]} {[check['data'] for check in node['any']]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dark", [False, True])
def test_every_view_is_for_everybody(visit: Open, size: str, dark: bool) -> None:
    width, height = SIZES[size]
    page = visit("/", width=width, height=height, dark=dark)
    page.emulate_media(reduced_motion="reduce")  # what fades has no colour of its own
    expect(page.get_by_role("heading", name="Find music with a sentence")).to_be_visible()
    problems = check(page, "home", size)
    page.get_by_role("button", name="calm acoustic guitar").click()
    expect(page.locator("button.tag").first).to_be_visible()
    page.locator(".act-add").first.click()
    page.get_by_label("Filters").first.click()
    page.locator(".toast").first.wait_for(state="hidden")
    problems += check(page, "results", size)
    page.get_by_label("Filters").first.click()
    page.locator(".cover-button").first.click()
    page.locator(".tray-button").click()
    expect(page.locator(".tray-row")).to_be_visible()
    page.wait_for_timeout(400)
    problems += check(page, "playlist", size)
    page.get_by_label("Close the playlist").click()
    page.wait_for_timeout(400)
    page.get_by_role("link", name="Map").click()
    expect(page.locator(".map-count")).to_be_visible()
    problems += check(page, "map", size)
    page.get_by_role("link", name="Library").click()
    expect(page.locator(".folder")).to_be_visible()
    problems += check(page, "library", size)
    page.get_by_label("Look for a folder").locator("visible=true").click()
    expect(page.locator(".chooser-entry").first).to_be_visible()
    page.wait_for_timeout(600)
    problems += check(page, "chooser", size)
    assert not problems, "\n".join(problems)


def check(page: Page, view: str, size: str) -> list[str]:
    found = serious(page, over=view in ("playlist", "chooser"))
    found += [f"wider than the screen by {more}" for more in [page.evaluate(WIDE)] if more > 0]
    if size == "phone":
        found += page.evaluate(SMALL)
    return [f"{view}: {one}" for one in found]
