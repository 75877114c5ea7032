"""A library of short songs, `muscall serve` over it, and a browser to look at it.

`MUSCALL_PAGE_LIBRARY=folder` shows a library that is there already, heard by the packaged weights,
and `MUSCALL_SCREENSHOTS=folder` keeps the pictures that the tests take.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    JSHandle,
    Page,
    Response,
    expect,
    sync_playwright,
)

from muscall import Library, MusCALL

RATE = 16000
SONGS = 30
PATIENCE = 120_000  # milliseconds
LIBRARY = os.environ.get("MUSCALL_PAGE_LIBRARY")
Snap = Callable[[Page, str], None]
Open = Callable[..., Page]


@pytest.fixture(scope="session")
def library_folder(tiny_model: MusCALL, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if LIBRARY:
        return Path(LIBRARY)
    songs = tmp_path_factory.mktemp("page") / "songs"
    for number in range(SONGS):
        _sing(songs / f"{number:02}.flac", number)
    (songs / "broken.mp3").write_bytes(b"no music")
    library = Library(songs.parent / "library", tiny_model)
    library.index([songs])
    return songs.parent / "library"


def _sing(path: Path, number: int) -> None:
    """Eight seconds and more that rise and fall, higher and longer with each number."""
    path.parent.mkdir(exist_ok=True)
    length = 8 * 1.03**number  # so that no song is taken for a version of another
    time = np.arange(round(length * RATE)) / RATE
    swell = np.sin(np.pi * time / length * (1 + number % 3)) ** 2
    noise = np.random.default_rng(number).normal(size=time.shape)
    tone = np.sin(2 * np.pi * 60 * 1.15**number * time)
    soundfile.write(path, 0.3 * swell * (tone + 0.1 * (number % 4) * noise), RATE)
    file = mutagen.File(path, easy=True)
    file["title"], file["artist"] = f"Song number {number}", f"Artist {number % 4}"
    file["genre"], file["date"] = ("Folk", "Jazz")[number % 2], str(1990 + number)
    file.save()


@pytest.fixture(scope="session")
def made() -> bool:
    """Whether the library is the one that is made here."""
    return LIBRARY is None


@pytest.fixture(scope="session")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A song that is no part of the library."""
    path = tmp_path_factory.mktemp("own") / "my own song.flac"
    _sing(path, SONGS + 1)
    return path


class Servers:
    """`serve(library, *options)`: run `muscall serve` until the tests end, and say where it is."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self.started: dict[str, tuple[subprocess.Popen[bytes], Path]] = {}
        self._folders = folders

    def __call__(self, library: Path, *options: str) -> str:
        cache = self._folders.mktemp("serve")
        command = [sys.executable, "-m", "muscall", "serve", "--port", "0", "--library", library]
        environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONUNBUFFERED": "1"}
        log = cache / "log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*command, *options], stderr=file, stdout=file, env=environment
            )
        address = _address(process, log)
        self.started[address] = process, log
        return address

    def kill(self, address: str) -> None:
        """As a loss of power does."""
        process, _ = self.started.pop(address)
        process.kill()
        process.wait(60)


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = Servers(tmp_path_factory)
    yield servers
    for process, _ in servers.started.values():
        process.terminate()
    for process, log in servers.started.values():
        process.wait(60)
        # The framework may complain of a browser that went away; the page has nothing to say.
        assert "serving/page" not in log.read_text(), log.read_text()


@pytest.fixture(scope="session")
def address(serve: Callable[..., str], library_folder: Path, tiny_checkpoint: Path) -> str:
    """Where the page is served."""
    model = [] if LIBRARY else ["--model", str(tiny_checkpoint)]
    return serve(library_folder, *model)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(6000):
        if found := re.search(r"serving at (\S+)/\n", log.read_text()):
            return found[1]
        assert process.poll() is None, log.read_text()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(
                executable_path=chromium,
                args=["--no-sandbox", "--disable-background-networking"],
            )
        except Error as error:
            pytest.skip(f"chromium does not start: {error.message.splitlines()[0]}")
        expect.set_options(timeout=PATIENCE)
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Open]:
    """`visit(path="/", width=1280, height=800, dark=False)`: open the page, without any network.

    It is an error if the page asks any other host for something, or complains.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def go(
        path: str = "/", *, width: int = 1280, height: int = 800, dark: bool = False, at: str = ""
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda asked: _check(asked.url, at or address, problems))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("response", lambda answer: _check_status(answer, problems))
        page.on("console", lambda told: _check_console(told, problems))
        page.goto((at or address) + path)
        page.wait_for_function("window.muscall && window.socket?.connected")
        return page

    yield go
    for context in contexts:
        context.close()
    assert problems == []


def _check(url: str, address: str, problems: list[str]) -> None:
    own = (address, address.replace("http", "ws"), "data:", "blob:")
    if not url.startswith(own):
        problems.append(f"asked elsewhere: {url}")


def _check_status(answer: Response, problems: list[str]) -> None:
    if answer.status >= 500:
        problems.append(f"{answer.status}: {answer.url}")


def _check_console(told: ConsoleMessage, problems: list[str]) -> None:
    # What a listener did wrong is answered with a status, of which the browser makes an error.
    # A server that is away is told by the browser as well.
    expected = ("Failed to load resource", "WebSocket connection to")
    if told.type == "error" and not told.text.startswith(expected):
        problems.append(told.text)


@pytest.fixture
def carry() -> Callable[[Page, Path], JSHandle]:
    """`carry(page, song)`: a song in a browser's hand, as what is dragged and dropped needs it."""
    return lambda page, song: page.evaluate_handle(
        """([bytes, name]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name, {type: "audio/flac"}));
            return transfer;
        }""",
        [list(song.read_bytes()), song.name],
    )


@pytest.fixture
def snap(tmp_path: Path) -> Snap:
    """`snap(page, name)`: keep a picture of what is seen."""
    folder = Path(os.environ.get("MUSCALL_SCREENSHOTS", tmp_path))

    def take(page: Page, name: str) -> None:
        expect(page.locator(".waveform-waiting")).to_have_count(0, timeout=PATIENCE)
        page.screenshot(path=folder / f"{name}.png", animations="disabled")
        assert (folder / f"{name}.png").stat().st_size > 5000

    return take
