"""An address says what is asked for, so that reload, back and sharing lead to the same."""

import re

from playwright.sync_api import Page, expect

from tests.serving.page.test_search import results

BOX = ".search-input input"


def test_filters_and_songs_survive_reload_back_and_sharing(visit):
    page = visit("/?q=calm")
    first = results(page, 12)[0]
    expect(page).to_have_title("calm · muscall")
    page.locator(".act-more").first.click()
    expect(page.locator(".chip")).to_contain_text(f"Like {first}")
    page.get_by_label("Filters").first.click()
    page.get_by_label("Year from").fill("2010")
    page.get_by_label("Year to").fill("1995")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile("like=[0-9a-f]{40}&year_from=1995&year_to=2010$"))
    # Years that end before they begin are turned round, and seen to be.
    expect(page.get_by_label("Year from")).to_have_value("1995")
    found = results(page)
    for again in (page.reload, lambda: page.goto(page.url)):
        again()
        assert results(page) == found
        assert_asked(page, first)
    shared = visit(page.url.split(page.url.split("/?")[0])[1])
    assert results(shared) == found
    assert_asked(shared, first)
    page.get_by_role("link", name="Map").click()
    expect(page).to_have_url(re.compile("/map[?]q=calm&like="))
    expect(page).to_have_title("calm · Map · muscall")
    page.get_by_role("link", name="Library").click()
    expect(page).to_have_title("Library · muscall")
    page.go_back()
    assert_asked(page, first)
    page.go_back()
    page.wait_for_timeout(300)
    page.go_back()
    expect(page.locator(".search .q-badge")).to_be_hidden()
    expect(page.locator(".chip")).to_contain_text(f"Like {first}")
    page.go_back()
    expect(page.locator(".chip")).to_have_count(0)
    assert first in results(page, 12)


def assert_asked(page: Page, song: str) -> None:
    expect(page.locator(BOX)).to_have_value("calm")
    expect(page.locator(".chip")).to_contain_text(f"Like {song}")
    expect(page.locator(".search .q-badge")).to_have_text("1")


def test_an_address_of_nonsense_does_no_harm(visit):
    page = visit("/?q=calm&like=/etc/passwd&unlike=" + "f" * 40 + "&year_from=x&length=1+or+1&a=b")
    assert len(results(page, 12)) == 12
    expect(page.locator(".chip")).to_have_count(0)
    expect(page.locator(".toast-negative")).to_contain_text("no such track")
    expect(page.locator(".search .q-badge")).to_be_hidden()


def test_what_is_not_there_is_said_in_the_pages_own_words(visit, address):
    page = visit("/")
    expect(page.locator(BOX)).to_be_focused()
    answer = page.goto(f"{address}/no/such/page")
    assert answer.status == 404
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
    page.get_by_role("link", name="To the search").click()
    expect(page.get_by_role("heading", name="Find music with a sentence")).to_be_visible()
