import shutil

from playwright.sync_api import expect


def test_it_says_what_is_there_and_what_cannot_be_read(visit, snap, made):
    page = visit("/library")
    expect(page.locator(".fact", has_text="tracks").locator(".fact-number")).not_to_have_text("0")
    expect(page.locator(".folder")).to_have_count(1)
    if made:
        expect(page.locator(".failures tbody tr")).to_have_count(1)
        expect(page.locator(".failures tbody")).to_contain_text("broken.mp3")
    snap(page, "library")


def test_indexing_is_started(visit):
    page = visit("/library")
    page.get_by_role("button", name="Look for changes").click()
    expect(page.locator(".told")).to_contain_text("unchanged")
    expect(page.locator(".state")).to_have_text("Up to date")


def test_an_empty_library_helps(visit, snap, serve, tiny_checkpoint, tmp_path, song):
    page = visit(at=serve(tmp_path / "none", "--model", str(tiny_checkpoint)))
    expect(page.get_by_text("Nothing is indexed yet")).to_be_visible()
    expect(page.get_by_text("muscall index ~/Music")).to_be_visible()
    snap(page, "empty")
    page.get_by_label("Folder of music").fill("/no/such/folder")
    page.get_by_role("button", name="Index it").click()
    expect(page.locator(".told")).to_contain_text("no such folder")
    page.get_by_label("Folder of music").fill(str(song.parent))
    page.get_by_role("button", name="Index it").click()
    expect(page.locator(".fact", has_text="tracks").locator(".fact-number")).to_have_text("1")
    page.get_by_role("link", name="Search", exact=True).click()
    page.fill(".search-input input", "calm")
    page.keyboard.press("Enter")
    expect(page.locator(".track .title").first).to_have_text("Song number 31")


def test_a_damaged_library_says_what_to_do(visit, serve, library_folder, tiny_checkpoint, tmp_path):
    damaged = shutil.copytree(library_folder, tmp_path / "damaged")
    for file in damaged.glob("windows_*.lance/data/*"):
        file.write_bytes(b"")
    page = visit("/library", at=serve(damaged, "--model", str(tiny_checkpoint)))
    expect(page.locator(".damage")).to_contain_text("`muscall index` repairs it")
    page.get_by_role("button", name="Look for changes").click()
    expect(page.locator(".told")).to_contain_text("added")
    expect(page.locator(".damage")).to_be_hidden()
