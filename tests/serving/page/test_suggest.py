"""What the search box suggests."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.serving.page.conftest import Open

BOX = ".search-input input"
OPTIONS = "#suggestions option"


def values(page: Page) -> list[str]:
    return [option.get_attribute("value") or "" for option in page.locator(OPTIONS).all()]


def test_names_and_past_searches_are_suggested(visit: Open) -> None:
    page = visit("/")
    page.locator(BOX).press_sequentially("acoustic g")
    expect(page.locator(OPTIONS).first).to_have_attribute("value", "acoustic guitar")
    assert page.locator(BOX).evaluate("box => box.list.options.length") > 0
    page.locator(BOX).fill("acoustic evening")
    page.keyboard.press("Enter")
    expect(page.locator(OPTIONS)).to_have_count(0)
    expect(page.locator(".results .track").first).to_be_visible()
    # With nothing to choose the arrow leads to what was found.
    page.keyboard.press("ArrowDown")
    expect(page.locator(".results .track").first).to_be_focused()
    page.locator(BOX).fill("acoustic")
    expect(page.locator(OPTIONS).first).to_have_attribute("value", "acoustic evening")
    assert "acoustic guitar" in values(page)
