import shutil

from playwright.sync_api import Page, expect

from muscall import Library

TRACKS = ".fact:has-text('tracks') .fact-number"


def name_folder(page: Page, name: str) -> None:
    page.get_by_label("Folder of music").locator("visible=true").fill(name)
    page.get_by_role("button", name="Index it").locator("visible=true").click()


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


def test_the_first_ten_minutes(visit, snap, serve, tiny_model, tiny_checkpoint, tmp_path, song):
    """An empty library is filled from a browser: folders are named, chosen, read and taken out."""
    music, more = tmp_path / "music", tmp_path / "more"
    (music / "inner").mkdir(parents=True)
    more.mkdir()
    shutil.copy(song, music / "inner")
    at = serve(tmp_path / "none", "--model", str(tiny_checkpoint), "--below", str(tmp_path))
    for path in ("/map", "/library", "/?q=calm"):
        page = visit(path, at=at)
        expect(page.get_by_text("Nothing is indexed yet")).to_be_visible()
        expect(page.locator(".toast")).to_have_count(0)
    page = visit(at=at)
    expect(page.get_by_text("muscall serve ~/Music")).to_be_visible()
    snap(page, "empty")
    for name, said in {
        "": "name a folder",
        "/no/such": f"below {tmp_path}",
        "~": f"below {tmp_path}",
        str(tmp_path / "nothing"): "no such folder",
        str(music / "inner" / song.name): "is a file",
        "Music": "from its beginning",
    }.items():
        name_folder(page, name)
        expect(page.locator(".invitation .q-field__messages")).to_contain_text(said)
    page.get_by_label("Folder of music").fill(str(tmp_path))
    page.get_by_label("Look for a folder").click()
    chooser = page.get_by_role("dialog")
    chooser.get_by_text("music").click()
    expect(chooser.locator(".path")).to_have_text(str(music))
    snap(page, "chooser")
    chooser.get_by_role("button", name="Take this one").click()
    expect(page.get_by_label("Folder of music")).to_have_value(str(music))
    page.get_by_role("button", name="Index it").click()
    expect(page.get_by_text("Nothing is indexed yet")).to_be_hidden(timeout=3000)
    page.get_by_role("link", name="Map").click()
    expect(page.locator(".map-count")).to_contain_text("1 song;")
    page.get_by_role("link", name="Search", exact=True).click()
    expect(page.get_by_role("heading", name="Find music with a sentence")).to_be_visible()
    page.fill(".search-input input", "calm")
    page.keyboard.press("Enter")
    expect(page.locator(".track .title").first).to_have_text("Song number 31")
    page.get_by_role("link", name="Library").click()
    expect(page.locator(TRACKS)).to_have_text("1")
    shutil.copytree(music, more / "copies")
    for number in range(3):
        (more / f"broken {number}.mp3").write_bytes(b"no music")
    name_folder(page, str(more))
    rows = page.locator(".folder")
    expect(rows).to_contain_text([f"{music}1 file · last", f"{more}4 files · last"])
    page.get_by_label(f"Take {more} out").click()
    page.get_by_role("button", name="Keep its songs").click()
    expect(rows).to_have_count(1)
    page.get_by_label(f"Take {music} out").click()
    snap(page, "take-out")
    page.get_by_role("button", name="Forget its songs").click()
    expect(rows).to_have_count(0)
    assert (music / "inner" / song.name).exists()
    (kept,) = Library(tmp_path / "none", tiny_model).search("calm")
    assert kept.path == more / "copies" / "inner" / song.name


def test_a_damaged_library_says_what_to_do(visit, serve, library_folder, tiny_checkpoint, tmp_path):
    damaged = shutil.copytree(library_folder, tmp_path / "damaged")
    for file in damaged.glob("windows_*.lance/data/*"):
        file.write_bytes(b"")
    page = visit("/library", at=serve(damaged, "--model", str(tiny_checkpoint)))
    expect(page.locator(".damage")).to_contain_text("`muscall index` repairs it")
    page.get_by_role("button", name="Look for changes").click()
    expect(page.locator(".told")).to_contain_text("added")
    expect(page.locator(".damage")).to_be_hidden()
