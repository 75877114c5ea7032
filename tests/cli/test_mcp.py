"""`muscall mcp` in a process of its own, asked by the SDK's client."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from muscall import Library, MusCALL

mcp = pytest.importorskip("mcp")
from mcp.client.stdio import StdioServerParameters  # noqa: E402
from mcp.client.streamable_http import streamable_http_client  # noqa: E402

Run = Callable[..., SimpleNamespace]
KEY = "correct-horse-battery"


@pytest.fixture(scope="module")
def folder(music: Path, tiny_model: MusCALL, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    Library(folder, tiny_model).index([music], workers=1)
    return folder


@pytest.fixture
def command(folder: Path, tiny_checkpoint: Path) -> list[str]:
    start = [sys.executable, "-m", "muscall", "mcp", "--threads", "1"]
    return [*start, "--library", str(folder), "--model", str(tiny_checkpoint)]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}


async def visit(server: Any) -> tuple[int, int]:
    """How many tracks there are, and how many are found."""
    async with mcp.Client(server) as client:
        status = await client.call_tool("status", {})
        found = await client.call_tool("search", {"text": "a tone"})
        return status.structured_content["tracks"], len(found.structured_content["tracks"])


def ask(visited: Any) -> Any:
    with ThreadPoolExecutor(1) as pool:  # Playwright's loop may run in this thread
        return pool.submit(asyncio.run, visited).result()


def test_it_speaks_by_standard_input_and_output(
    command: list[str], environment: dict[str, str]
) -> None:
    first, *others = command
    server = StdioServerParameters(command=first, args=others, env=environment)
    tracks, found = ask(visit(server))
    assert tracks == 5
    assert found > 0


def test_it_speaks_over_http_to_whom_shows_the_key(
    command: list[str], environment: dict[str, str]
) -> None:
    told = os.environ | environment | {"MUSCALL_API_KEY": KEY}
    options = ["--http", "--port", "0"]
    with subprocess.Popen(
        [*command, *options], stderr=subprocess.PIPE, text=True, env=told
    ) as server:
        assert server.stderr is not None
        try:
            found = re.search(r"http://127\.0\.0\.1:\d+/mcp", server.stderr.readline())
            assert found
            address = found[0]

            async def with_key(key: str) -> tuple[int, int]:
                headers = {"Authorization": f"Bearer {key}"}
                async with httpx2.AsyncClient(headers=headers, timeout=120) as client:
                    return await visit(streamable_http_client(address, http_client=client))

            assert ask(with_key(KEY))[0] == 5
            assert httpx2.post(address, json={}).status_code == 401
            elsewhere = {"Authorization": f"Bearer {KEY}", "Origin": "https://evil.example"}
            assert httpx2.post(address, json={}, headers=elsewhere).status_code == 403
        finally:
            server.terminate()
            server.wait(60)


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--to", "http://h"], 2, "go together"),
        (["--to", "h", "--user", "a", "--password", "b"], 1, "h: no address of a server"),
        (["--http", "--host", "0.0.0.0"], 1, "not without a key"),
        (["--http", "--api-key", "short"], 1, "16 characters"),
    ],
)
def test_what_is_wrong_is_told(run: Run, options: list[str], code: int, says: str) -> None:
    done = run("mcp", *options)
    assert (done.code, done.out) == (code, "")
    assert says in done.err
