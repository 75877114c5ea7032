"""An assistant pushes a playlist to a server that its person has chosen."""

from __future__ import annotations

from pathlib import Path

from muscall import Library
from muscall.library.playlists.saved import Request
from muscall.library.playlists.subsonic import Server
from muscall.serving.assistants import assistants
from muscall.serving.service import Service
from tests.serving.subsonic.conftest import KEY
from tests.serving.subsonic.test_pushing import read
from tests.serving.test_assistants import within


def test_a_playlist_is_pushed(port: int, kept: Path, app_library: Library, tmp_path: Path) -> None:
    app_library.playlists.save("jazz", Request(where="genre = jazz"))
    remote = Server(f"http://127.0.0.1:{port}", "ann", KEY)
    server = assistants(Service(app_library, tmp_path), remote)
    answer = within(server, lambda client: client.call_tool("push_playlist", {"name": "jazz"}))
    assert answer.structured_content == {"server": remote.url, "there": 2, "missing": []}
    assert set(read(port, "jazz")) == {"Ann/First/2 Noon.flac", "Böhm/Live/1 Böe.flac"}
    app_library.playlists.remove("jazz")
    assert kept.exists()
