"""The page behind nginx and Caddy, at their root and under a sub-path: nothing fails.

The lines of their settings are those of `docs/api.md`.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, JSHandle, Page, expect

KEY = "correct-horse-battery"
DOCS = Path(__file__).parents[3] / "docs" / "api.md"
PATIENCE = 120_000  # milliseconds


def settings(kind: str, path: str) -> str:
    """The lines in the documentation for a proxy, at its root or under /music."""
    blocks = re.findall(r"```(nginx|caddy)\n(.*?)```", DOCS.read_text(), re.DOTALL)
    (text,) = (t for name, t in blocks if name == kind and ("/music" in t) == bool(path))
    return text


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def locked(serve: Callable[..., str], library_folder: Path, tiny_checkpoint: Path) -> str:
    """The address of a server with a key."""
    return serve(library_folder, "--model", str(tiny_checkpoint), "--api-key", KEY)


@pytest.fixture(params=["nginx", "caddy"])
def proxied(request: pytest.FixtureRequest, locked: str, tmp_path: Path) -> Iterator[Callable]:
    """`proxied(path)`: start the proxy in front of the server, and say where the page is."""
    program = shutil.which(request.param, path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip(f"no {request.param}: apt-get install {request.param}")
    started: list[subprocess.Popen[bytes]] = []

    def start(path: str) -> str:
        port, lines = free_port(), settings(request.param, path)
        lines = lines.replace("127.0.0.1:8765", locked.removeprefix("http://"))
        file = tmp_path / "settings"
        if request.param == "nginx":
            places = "".join(
                f"{kind}_temp_path {tmp_path}/{kind};"
                for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            )
            upgrade, server = lines.split("server {")
            server = re.sub(r"listen[^;]*;|ssl_[^;]*;|server_name[^;]*;", "", server)
            file.write_text(
                f"{'user root;' if os.geteuid() == 0 else ''}\n"  # it may write below tmp_path
                f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}}\n"
                f"http {{ access_log off; {places} {upgrade}\n"
                f"server {{ listen 127.0.0.1:{port}; {server} }}"
            )
            command = [program, "-c", str(file), "-e", str(tmp_path / "log")]
        else:
            site = lines.replace("music.example.com", f"http://127.0.0.1:{port}")
            file.write_text("{\nadmin off\nauto_https off\n}\n" + site)
            command = [program, "run", "--adapter", "caddyfile", "--config", str(file)]
        with (tmp_path / "out").open("wb") as out:
            started.append(subprocess.Popen(command, stdout=out, stderr=out))
        for _ in range(600):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    return f"http://127.0.0.1:{port}{path}"
            assert started[-1].poll() is None, (tmp_path / "out").read_text()
            time.sleep(0.1)
        raise AssertionError((tmp_path / "out").read_text())

    yield start
    for process in started:
        process.terminate()
        process.wait(60)


@pytest.mark.parametrize("path", ["", "/music"])
def test_nothing_fails_behind_a_proxy(
    proxied: Callable[[str], str],
    browser: Browser,
    song: Path,
    carry: Callable[[Page, Path], JSHandle],
    path: str,
) -> None:
    address = proxied(path)
    failed: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("response", lambda r: failed.append(f"{r.status} {r.url}") if _bad(r) else None)
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.goto(address + "/")
        page.get_by_label("API key").fill(KEY)
        page.get_by_role("button", name="Enter").click()
        page.wait_for_function("window.muscall && window.socket?.connected")
        page.fill(".search-input input", "calm")
        page.keyboard.press("Enter")
        page.wait_for_function("document.querySelectorAll('.results .track').length >= 12")
        cover = page.locator(".track .cover").first
        expect(cover).to_have_js_property("complete", True)
        assert cover.evaluate("image => image.naturalWidth") > 0
        page.locator(".track .cover-button").first.click()
        page.wait_for_function("document.querySelector('audio').currentTime > 0.2")
        with page.expect_response("**/v1/uploads") as uploaded:
            transfer = carry(page, song)
            page.dispatch_event("body", "dragenter", {"dataTransfer": transfer})
            expect(page.get_by_text("Drop a song to find music like it")).to_be_visible()
            page.dispatch_event("body", "drop", {"dataTransfer": transfer})
        assert uploaded.value.ok, uploaded.value.text()
        expect(page.locator(".chip")).to_contain_text(f"Like {song.name}")
        page.get_by_role("link", name="Map").first.click()
        expect(page.locator(".map-count")).to_contain_text("songs")
        page.get_by_role("link", name="Library").first.click()
        page.get_by_role("button", name="Look for changes").click()
        page.wait_for_timeout(1000)
        page.reload()
        page.wait_for_function("window.muscall && window.socket?.connected")
        assert page.url.startswith(address)
    assert failed == []


def _bad(response) -> bool:  # type: ignore[no-untyped-def]
    return bool(response.status >= 400)
