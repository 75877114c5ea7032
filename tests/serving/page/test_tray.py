from pathlib import Path

from playwright.sync_api import Page, expect

ROWS = ".tray-row .title"


def keep(page: Page, *places: int) -> list[str]:
    """Put results into the playlist and open it."""
    titles = page.locator(".results .track > .about .title")
    expect(titles).to_have_count(12)
    for place in places:
        page.locator(".act-add").nth(place).click()
    expect(page.locator(".tray-button .q-badge")).to_have_text(str(len(places)))
    page.locator(".tray-button").click()
    expect(page.locator(ROWS).first).to_be_visible()
    return [titles.nth(place).inner_text() for place in places]


def test_a_playlist_is_put_together_and_taken_away(visit, snap, tmp_path):
    page = visit("/?q=calm", width=1440)
    first, second, third = keep(page, 0, 2, 3)
    expect(page.locator(ROWS)).to_have_text([first, second, third])
    page.locator(".tray-row").nth(2).get_by_label("Move up").click()
    expect(page.locator(ROWS)).to_have_text([first, third, second])
    page.locator(".toast").first.wait_for(state="hidden")
    snap(page, "playlist")
    page.locator(".tray-row").nth(0).get_by_label("Remove").click()
    expect(page.locator(ROWS)).to_have_text([third, second])
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "muscall.m3u8"
    download.value.save_as(tmp_path / "list.m3u8")
    lines = (tmp_path / "list.m3u8").read_text("utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    assert [line.partition(",")[0].partition(":")[0] for line in lines[1::2]] == ["#EXTINF"] * 2
    assert third in lines[1]
    assert second in lines[3]
    assert all(Path(line).is_file() for line in lines[2::2])


def test_it_is_there_again_after_a_reload(visit):
    page = visit("/?q=calm")
    titles = keep(page, 1, 4)
    page.reload()
    expect(page.locator(".tray-button .q-badge")).to_have_text("2")
    page.locator(".tray-button").click()
    expect(page.locator(ROWS)).to_have_text(titles)
    page.locator(".tray-buttons").get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Your playlist is empty")).to_be_visible()
    page.reload()
    expect(page.locator(".tray-button .q-badge")).to_be_hidden()


def test_rows_are_dragged(visit):
    page = visit("/?q=calm")
    first, second = keep(page, 0, 1)
    page.wait_for_timeout(500)
    start = page.locator(".grip").nth(1).bounding_box()
    goal = page.locator(".tray-row").nth(0).bounding_box()
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 8, goal["y"] + 12, steps=8)
    page.mouse.move(start["x"] + 8, goal["y"] + 4, steps=4)
    page.mouse.up()
    expect(page.locator(ROWS)).to_have_text([second, first])


def test_a_broken_memory_of_the_browser_does_no_harm(visit):
    page = visit("/?q=calm")
    for kept in ('"{"', "[1, null, {}]", '["' + "f" * 40 + '"]', "5"):
        page.evaluate("kept => localStorage.setItem('muscall-playlist', kept)", kept)
        page.reload()
        expect(page.locator(".track")).to_have_count(12)
        expect(page.locator(".tray-button .q-badge")).to_be_hidden()


def test_requests_are_saved_and_played_and_songs_lead_from_one_to_another(visit, made):
    page = visit("/?q=calm")
    first, last = keep(page, 0, 5)
    page.get_by_role("button", name="Lead from first to last").click()
    expect(page.locator(".tray-row")).to_have_count(12)
    expect(page.locator(ROWS).first).to_have_text(first)
    expect(page.locator(ROWS).last).to_have_text(last)
    if not made:
        return  # it would be kept in somebody's library
    page.get_by_role("button", name="Save", exact=True).click()
    name = page.get_by_label("Name of the playlist")
    name.fill("a/b")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog").get_by_text("no name for a playlist")).to_be_visible()
    name.fill("rainy days")
    page.keyboard.press("Enter")
    saved = page.locator(".saved-row", has_text="rainy days")
    expect(saved).to_contain_text("calm (50)")
    saved.get_by_label("Play rainy days").click()
    page.wait_for_function("document.querySelector('audio').currentTime > 0.1")
    saved.get_by_label("Add the songs").click()
    expect(page.locator(".tray-row")).to_have_count(30)
    saved.get_by_label("Delete rainy days").click()
    expect(saved).to_have_count(0)


def test_a_radio_and_a_path_are_saved(visit, made):
    if not made:
        return  # they would be kept in somebody's library
    page = visit("/?q=calm")
    first, last = keep(page, 0, 5)
    page.get_by_role("button", name="Save the path").click()
    name = page.get_by_label("Name of the playlist")
    expect(name).to_have_value(f"{first} to {last}")
    name.press("Enter")
    path = page.locator(".saved-row", has_text=f"{first} to {last}")
    expect(path).to_contain_text(f"path: like {first}, like {last} (12)")
    expect(page.get_by_label("Save this radio")).to_have_count(0)
    page.locator(".results .cover-button").nth(1).click()
    page.wait_for_function("document.querySelector('audio').currentTime > 0.1")
    start = page.locator(".player .title").inner_text()
    page.keyboard.press("r")
    page.get_by_label("Save this radio").click()
    name.fill("my radio")
    name.press("Enter")
    radio = page.locator(".saved-row", has_text="my radio")
    expect(radio).to_contain_text(f"walk: like {start} (50)")
    page.locator(".tray-buttons").get_by_role("button", name="Clear").click()
    radio.get_by_label("Add the songs").click()
    expect(page.locator(".tray-row").nth(10)).to_be_visible()
    radio.get_by_label("Play my radio").click()
    expect(page.get_by_label("Save this radio")).to_have_count(0)  # it is saved already
    for row in (radio, path):
        row.get_by_label("Delete").click()
        expect(row).to_have_count(0)
