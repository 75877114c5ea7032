from playwright.sync_api import Page, expect

NOW = "document.querySelector('audio').currentTime"


def plays(page: Page) -> str:
    """The title of what plays, once it does."""
    page.wait_for_function(f"!document.querySelector('audio').paused && {NOW} > 0.2")
    return page.locator(".player .title").inner_text()


def test_a_cover_plays_its_song_from_the_best_passage(visit, snap):
    page = visit("/?q=calm")
    row = page.locator(".track").nth(1)
    row.locator(".cover-button").click()
    assert plays(page) == row.locator(".about .title").inner_text()
    width = row.locator(".waveform").evaluate("waveform => waveform.clientWidth")
    start = row.locator(".waveform-passage").evaluate("mark => mark.offsetLeft") / width
    length = page.evaluate("document.querySelector('audio').duration")
    assert start * length - 0.5 <= page.evaluate(NOW)
    expect(row.locator(".waveform-now")).to_be_visible()
    assert row.locator(".when-playing").first.is_visible()
    page.wait_for_timeout(1500)
    snap(page, "playing")
    row.locator(".cover-button").click()
    page.wait_for_function("document.querySelector('audio').paused")


def test_a_strip_plays_from_where_it_is_clicked(visit):
    page = visit("/?q=calm")
    waveform = page.locator(".waveform").nth(2)
    box = waveform.bounding_box()
    waveform.click(position={"x": box["width"] / 2, "y": 20})
    plays(page)
    length = page.evaluate("document.querySelector('audio').duration")
    assert abs(page.evaluate(NOW) - length / 2) < 0.2 * length + 2


def test_next_previous_seek_and_volume(visit):
    page = visit("/?q=calm")
    titles = page.locator(".results .track > .about .title")
    expect(titles).to_have_count(12)
    first, second = titles.all_inner_texts()[:2]
    page.get_by_role("button", name="Play all").click()
    assert plays(page) == first
    page.get_by_label("Next").click()
    expect(page.locator(".player .title")).to_have_text(second)
    page.get_by_label("Previous").click()
    expect(page.locator(".player .title")).to_have_text(first)
    seek = page.get_by_label("Position in the song")
    box = seek.bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2)
    page.wait_for_function(f"{NOW} / document.querySelector('audio').duration > 0.45")
    page.get_by_label("Volume").locator("[tabindex]").focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.querySelector('audio').volume === 0")
    page.reload()
    page.wait_for_function("document.querySelector('audio')?.volume === 0")


def test_it_goes_on_while_the_listener_looks_elsewhere(visit):
    page = visit("/?q=calm")
    page.locator(".cover-button").first.click()
    title = plays(page)
    page.get_by_role("link", name="Library").click()
    expect(page.get_by_role("heading", name="Library", exact=True)).to_be_visible()
    assert plays(page) == title
    assert page.title() == f"{title} · muscall"


def test_a_browser_that_plays_less_gets_another_form(visit):
    page = visit("/?q=calm")
    page.route("**/audio", lambda route: route.abort())
    row = page.locator(".track").first
    with page.expect_request("**/audio?as=flac"):
        row.locator(".cover-button").click()
    assert plays(page) == row.locator(".about .title").inner_text()
    expect(page.locator(".toast-negative")).to_have_count(0)


def test_a_list_plays_on_behind_what_cannot_be_played(visit):
    page = visit("/?q=calm")
    row = page.locator(".track").first
    row.wait_for()
    key, title = row.get_attribute("data-key"), row.locator(".about .title").inner_text()
    gone = {"key": "0" * 40, "title": "Gone"}
    page.evaluate("list => muscall.play(list)", [gone, {"key": key, "title": title}])
    expect(page.locator(".toast-negative")).to_contain_text("Gone: cannot be played")
    assert plays(page) == title


def test_a_list_plays_on_behind_a_file_that_was_deleted(visit, library_folder, made):
    if not made:
        return  # nobody's files are deleted
    page = visit("/?q=calm")
    covers, titles = page.locator(".results .cover-button"), page.locator(".track .about .title")
    expect(titles).to_have_count(12)
    title, following = titles.all_inner_texts()[9:11]
    file = library_folder.parent / "songs" / f"{int(title.split()[-1]):02}.flac"
    content = file.read_bytes()
    file.unlink()
    try:
        covers.nth(9).click()
        expect(page.locator(".toast-negative")).to_contain_text(f"{title}: cannot be played")
        expect(page.locator(".player .title")).to_have_text(following)
        assert plays(page) == following
        expect(page.locator(".toast-negative")).to_have_count(1)
    finally:
        file.write_bytes(content)


def test_what_cannot_be_played_is_said(visit):
    page = visit("/?q=calm")
    page.locator(".track").first.wait_for()
    page.evaluate("muscall.play([{key: '0'.repeat(40), title: 'Gone'}], '0'.repeat(40))")
    expect(page.locator(".toast-negative")).to_contain_text("Gone: cannot be played")


def test_it_plays_on_with_songs_near_the_one_that_plays(visit):
    page = visit("/?q=calm")
    page.locator(".cover-button").first.click()
    first = plays(page)
    page.keyboard.press("r")
    expect(page.get_by_text(f"Playing on from {first}")).to_be_visible()
    assert plays(page) == first  # undisturbed
    titles = {first}
    for _ in range(4):
        page.keyboard.press("n")
        page.wait_for_function(
            "titles => !titles.includes(document.querySelector('.player .title').innerText)",
            arg=list(titles),
        )
        titles.add(plays(page))
    assert len(titles) == 5
