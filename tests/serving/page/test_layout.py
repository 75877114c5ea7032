import re

import pytest
from playwright.sync_api import Page, expect

GROUND = "getComputedStyle(document.body).backgroundColor"


def brightness(page: Page) -> float:
    return sum(map(int, re.findall(r"\d+", page.evaluate(GROUND))[:3])) / 3


def test_keys(visit, snap):
    page = visit("/?q=calm")
    rows = page.locator(".results .track")
    expect(rows).to_have_count(12)
    page.keyboard.press("/")
    expect(page.locator(".search-input input")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_function("!document.querySelector('audio').paused")
    expect(page.locator(".player .title")).to_have_text(
        rows.nth(1).locator(".about .title").inner_text()
    )
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('audio').paused")
    before = page.evaluate("document.querySelector('audio').currentTime")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    now = page.evaluate("document.querySelector('audio').currentTime")
    assert now < before or before < 0.1
    page.keyboard.press("a")
    expect(page.locator(".tray-button .q-badge")).to_have_text("1")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    snap(page, "keys")
    page.keyboard.press("Escape")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("/")  # while the dialog fades
    page.keyboard.type(" / ?")
    expect(page.locator(".search-input input")).to_have_value(" / ?")
    expect(page.get_by_role("heading", name="Keys")).to_be_hidden()


def test_it_follows_the_system_and_remembers_the_toggle(visit, snap):
    page = visit("/?q=calm", dark=True)
    expect(page.locator(".track")).to_have_count(12)
    page.locator(".waveform svg").nth(5).wait_for()
    assert brightness(page) < 60
    snap(page, "dark")
    page.locator(".theme-button").click()
    page.wait_for_function("!document.body.classList.contains('body--dark')")
    assert brightness(page) > 200
    page.reload()
    expect(page.locator(".track")).to_have_count(12)
    assert brightness(page) > 200
    assert brightness(visit("/")) > 200


@pytest.mark.parametrize("path", ["/", "/?q=calm", "/map", "/library"])
def test_it_fits_a_phone(visit, snap, path):
    page = visit(path, width=360, height=740)
    if "q" in path:
        page.locator(".waveform svg").nth(2).wait_for()
    page.wait_for_timeout(1000)
    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0
    name = {"/": "home", "/map": "map", "/library": "library"}.get(path, "search")
    snap(page, f"phone-{name}")


@pytest.mark.parametrize("dark", [False, True])
def test_words_stand_out_from_their_ground(visit, dark):
    page = visit("/?q=calm", dark=dark)
    page.locator("button.tag").first.wait_for()
    page.wait_for_timeout(500)
    ratios = page.evaluate(CONTRASTS)
    assert len(ratios) > 30
    assert {text: ratio for text, ratio in ratios if ratio < 4.5} == {}


def test_everything_that_can_be_pressed_has_a_name(visit):
    page = visit("/?q=calm")
    expect(page.locator(".track")).to_have_count(12)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, a[href], input, [role=slider], canvas')]
            .filter((one) => one.offsetParent && !one.hidden)
            .filter((one) => !one.ariaLabel && !one.innerText.trim() && !one.labels?.length)
            .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert nameless == []
    assert page.locator("html").get_attribute("lang") == "en-US"
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the music")).to_be_focused()


def test_an_unknown_address_is_not_found(address, browser):
    page = browser.new_page()
    assert page.goto(f"{address}/no/such/page").status == 404
    page.close()


def test_a_key_opens_the_page_and_its_sound(browser, serve, library_folder, tiny_checkpoint, made):
    key = "a-key-of-many-letters"
    model = ["--model", str(tiny_checkpoint)] if made else []
    locked = serve(library_folder, *model, "--api-key", key)
    page = browser.new_page()
    page.goto(f"{locked}/?q=calm")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Enter").click()
    page.get_by_role("button", name="calm acoustic guitar").click()
    page.locator(".cover-button").first.click()
    page.wait_for_function("document.querySelector('audio').currentTime > 0.1")
    page.close()


CONTRASTS = """() => {
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const numbers = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = (colour) => colour.slice(0, 3).map((c) => c / 255)
        .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (one) => {
        let found = [0, 0, 0, 0];
        for (; one && found[3] < 1; one = one.parentElement) {
            const below = numbers(getComputedStyle(one).backgroundColor);
            const share = found[3], rest = (1 - share) * below[3] / 255, sum = share + rest;
            found = found.map((c, i) => i < 3 ? (c * share + below[i] * rest) / (sum || 1) : sum);
        }
        return found;
    };
    const texts = [...document.querySelectorAll('body *')].filter((one) => one.offsetParent
        && !one.closest('[disabled], .disabled, .idle, i')
        && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
    return texts.map((one) => {
        const [a, b] = [light(numbers(getComputedStyle(one).color)), light(ground(one))];
        return [one.innerText, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    });
}"""
