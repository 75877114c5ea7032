"""The tools for assistants, asked by the SDK's own client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from muscall.library.playlists.subsonic import Server
from muscall.serving.assistants import assistants

mcp = pytest.importorskip("mcp")

Ask = Callable[..., Any]
READING = {"search", "find_alike", "walk", "path", "describe", "status", "show_playlist"}


def within(server: Any, visit: Callable[[Any], Any]) -> Any:
    """What `visit(client)` gives, in a thread: others' loops may run in this one."""

    async def visited() -> Any:
        async with mcp.Client(server) as client:
            return await visit(client)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, visited()).result()


@pytest.fixture
def ask(fresh) -> Ask:
    """`ask(tool, **asked)`: what a tool answers over three songs; a line where it cannot."""
    server = assistants(fresh.service)

    def ask(tool: str, **asked: Any) -> Any:
        answer = within(server, lambda client: client.call_tool(tool, asked))
        return answer.content[0].text if answer.is_error else answer.structured_content

    return ask


def test_the_tools_say_what_they_are_for(fresh) -> None:
    def listed(remote: Server | None) -> dict[str, Any]:
        server = assistants(fresh.service, remote)
        found = within(server, lambda client: client.list_tools())
        return {tool.name: tool for tool in found.tools}

    tools = listed(None)
    assert set(tools) == {*READING, "save_playlist"}
    assert all(tool.description for tool in tools.values())
    assert {name for name, tool in tools.items() if tool.annotations.read_only_hint} == READING
    remote = Server("http://127.0.0.1:1", "ann", "secret-password")
    assert set(listed(remote)) == {*tools, "push_playlist"}
    assert "secret" not in str(listed(remote))


def test_a_search_tells_how_it_was_understood(ask: Ask, fresh) -> None:
    found = ask("search", text="quiet song, no drums", where="duration > 1", n=2)
    assert "without: drums" in found["understood"]
    first = found["tracks"][0]
    assert first["key"] == fresh.key("flac.flac")
    assert first["name"] == "Ann - Quiet Song"
    assert first["length"] == "0:04"
    assert first["about"].startswith("1999, Dub")


def test_an_answer_is_short_to_read(fresh) -> None:
    server, key = assistants(fresh.service), fresh.key("flac.flac")

    def told(**asked: Any) -> str:
        answer = within(server, lambda client: client.call_tool("search", asked))
        return str(answer.content[0].text)

    head, first, *_ = told(text="quiet song, no drums").splitlines()
    assert head.startswith("understood: ")
    assert head.endswith("without: drums")
    assert first.startswith(f"{key} Ann - Quiet Song (")
    assert "0:04; 1999, Dub" in first
    assert told(where="year = 1800") == "nothing fits"


def test_ways_through_the_library(ask: Ask, fresh) -> None:
    first, last = fresh.key("flac.flac"), fresh.key("mp3.mp3")
    alike = ask("find_alike", key=first)["tracks"]
    assert alike
    assert first not in {track["key"] for track in alike}
    assert first not in {track["key"] for track in ask("walk", start=first)["tracks"]}
    path = [track["key"] for track in ask("path", start=first, end=last)["tracks"]]
    assert (path[0], path[-1]) == (first, last)


def test_a_track_is_described(ask: Ask, fresh) -> None:
    found = ask("describe", key=fresh.key("flac.flac"))
    assert found["track"]["name"] == "Ann - Quiet Song"
    assert {kind: len(labels) for kind, labels in found["labels"].items()} == {
        "genre": 3, "mood": 3, "instrument": 3, "sound": 3
    }  # fmt: skip


def test_a_playlist_is_saved_and_known(ask: Ask, fresh) -> None:
    key = fresh.key("flac.flac")
    made = ask("save_playlist", name="radio", way="walk", like=[key], n=5)
    assert made == ask("show_playlist", name="radio")
    status = ask("status")
    assert (status["tracks"], status["playlists"], status["can_push_to"]) == (3, ["radio"], "")
    assert (Path(fresh.service.library.store.folder) / "playlists" / "radio.m3u8").exists()


@pytest.mark.parametrize(
    ("tool", "asked", "says"),
    [
        ("search", {}, "the query is empty"),
        ("search", {"where": "yeer = 1"}, "there is no yeer, did you mean year?"),
        ("search", {"text": "calm", "n": 0}, "greater than or equal to 1"),
        ("describe", {"key": "0" * 40}, "no such track"),
        ("find_alike", {"key": "/etc/passwd"}, "should match pattern"),
        ("show_playlist", {"name": "none"}, "no such playlist"),
        ("save_playlist", {"name": "a/b", "text": "calm"}, "no name for a playlist"),
        ("save_playlist", {"name": "a", "way": "path"}, "a path needs 2 to be like"),
        ("push_playlist", {"name": "a"}, "Unknown tool"),
    ],
)
def test_what_cannot_be_answered_is_told(
    ask: Ask, tool: str, asked: dict[str, Any], says: str
) -> None:
    told = ask(tool, **asked)
    assert isinstance(told, str)
    assert says in told
