from playwright.sync_api import Page, expect

MAP = "getElement(document.querySelector('.map-frame'))"
PLACES = """() => {
    const map = MAP, box = map.$refs.canvas.getBoundingClientRect();
    return map.points.map(({key, title, x, y}) => {
        const [left, top] = map.at(x, y);
        return {key, title, x: box.left + left, y: box.top + top};
    });
}""".replace("MAP", MAP)


def points(page: Page) -> list[dict]:
    """Each song of the map, and where it is on the screen."""
    expect(page.locator(".map-count")).to_contain_text("songs")
    return page.evaluate(PLACES)


def test_a_click_on_the_map_plays_and_says_what(visit, snap):
    page = visit("/map?q=calm acoustic guitar", dark=True)
    page.wait_for_function(f"{MAP}?.found.length === 12 && {MAP}.place?.length === 2")
    spot = points(page)[3]
    page.mouse.move(spot["x"], spot["y"])
    page.mouse.click(spot["x"], spot["y"])
    expect(page.locator(".map-card .title")).to_be_visible()
    page.wait_for_function("document.querySelector('audio').currentTime > 0.2")
    title = page.locator(".map-card .title").inner_text()
    assert page.locator(".player .title").inner_text() == title
    near = {
        p["title"] for p in points(page) if abs(p["x"] - spot["x"]) + abs(p["y"] - spot["y"]) < 20
    }
    assert title in near
    snap(page, "map-dark")
    page.get_by_label("Next").click()
    expect(page.locator(".player .title")).not_to_have_text(title)


def test_keys_go_from_song_to_song(visit):
    page = visit("/map")
    points(page)
    page.locator(".map canvas").focus()
    page.keyboard.press("ArrowRight")
    said = page.locator(".map-frame [aria-live]")
    expect(said).not_to_be_empty()
    first = said.inner_text()
    for key in ("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('audio').currentTime > 0.2")
    assert page.locator(".player .title").inner_text() in said.inner_text()
    assert first


def test_it_zooms_where_the_wheel_is_and_comes_back(visit, snap):
    page = visit("/map")
    before = points(page)
    snap(page, "map")
    spot = before[0]
    page.mouse.move(spot["x"], spot["y"])
    page.mouse.wheel(0, -800)
    page.wait_for_function(f"{MAP}.view.scale > 3")
    after = points(page)
    # A pointer stands on whole pixels, which are several now.
    assert abs(after[0]["x"] - spot["x"]) < 6
    spread = [
        max(p["x"] for p in places) - min(p["x"] for p in places) for places in (before, after)
    ]
    assert spread[1] > 3 * spread[0]
    page.get_by_label("Show all").click()
    assert [round(p["x"]) for p in points(page)] == [round(p["x"]) for p in before]


def test_twenty_thousand_songs_are_drawn_fast(visit):
    page = visit("/map")
    points(page)
    milliseconds = page.evaluate(
        """() => {
            const map = MAP;
            map.points = Array.from({length: 20000}, (_, at) => (
                {key: String(at), x: Math.random(), y: Math.random(), title: "x", artist: ""}));
            const start = performance.now();
            for (let i = 0; i < 5; i += 1) { map.paint(); map.nearest(300, 300); }
            return (performance.now() - start) / 5;
        }""".replace("MAP", MAP)
    )
    assert milliseconds < 500  # 25 on an idle machine


def test_colours_mean_what_is_chosen(visit):
    page = visit("/map")
    points(page)
    usual = "genres => window.muscallUsual(genres.map(genre => ({genre})))"
    assert page.evaluate(usual, ["Jazz", "rock", ""]) == "genre"
    assert page.evaluate(usual, ["(None)", "Other", "rock"]) == "loudness"
    legend = """genres => window.muscallColours(
        genres.map(genre => ({genre})), 'genre', false).legend"""
    said = page.evaluate(legend, ["Soundtrack", "soundtrack; games", "None", "Jazz"])
    assert [one["text"] for one in said] == ["soundtrack", "jazz", "others"]
    page.get_by_label("What colours mean").select_option("year")
    page.reload()
    points(page)
    expect(page.get_by_label("What colours mean")).to_have_value("year")
