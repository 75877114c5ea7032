"""`muscall serve` in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest

from muscall import Library, MusCALL

Run = Callable[..., SimpleNamespace]
KEY = "correct-horse-battery"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1"])
def test_others_are_not_served_without_a_key(run: Run, host: str) -> None:
    done = run("serve", "--host", host)
    assert (done.code, done.out) == (1, "")
    (line,) = done.err.splitlines()
    assert line.startswith(f"muscall: --host {host}: not without a key")


def test_a_weak_key_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSCALL_API_KEY", "secret")
    done = run("serve")
    assert (done.code, done.out) == (1, "")
    assert "16 characters" in done.err
    assert "secret" not in done.err


def test_a_port_in_use_is_told(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run("serve", "--port", port)
    assert (done.code, done.out) == (1, "")
    (line,) = done.err.splitlines()
    assert line == f"muscall: 127.0.0.1:{port}: Address already in use"


def test_a_folder_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    done = run("serve", tmp_path / "none")
    assert (done.code, done.out) == (1, "")
    (line,) = done.err.splitlines()
    assert line == f"muscall: {tmp_path}/none: no such folder on the machine that serves"


def test_a_server_serves_many_and_ends_when_it_is_told(
    music: Path, tiny_model: MusCALL, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    library = Library(tmp_path / "library", tiny_model)
    library.index([music], workers=1)
    command = [
        *(sys.executable, "-m", "muscall", "serve", "--port", "0", "--threads", "1"),
        *("--library", str(tmp_path / "library"), "--model", str(tiny_checkpoint)),
    ]
    environment = {
        **os.environ,
        "MUSCALL_API_KEY": KEY,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        # What a suite in the background ignores, its children would ignore too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as server:
        assert server.stderr is not None
        try:
            found = re.search(r"http://127\.0\.0\.1:\d+/", server.stderr.readline())
            assert found
            with httpx2.Client(
                base_url=found[0], headers={"x-api-key": KEY}, timeout=120
            ) as client:
                (hit,) = client.get("/v1/search", params={"text": "a tone", "n": 1}).json()[
                    "results"
                ]
                sound = f"/v1/tracks/{hit['track']['key']}/audio"
                whole = Path(hit["track"]["path"]).read_bytes()
                problems = []

                def listen(number: int) -> None:
                    part = client.get(sound, headers={"range": f"bytes={number}-{number + 999}"})
                    if (part.status_code, part.content) != (206, whole[number : number + 1000]):
                        problems.append(part.status_code)
                    if client.get("/v1/search", params={"text": f"tone {number}"}).is_error:
                        problems.append("search")

                listeners = [threading.Thread(target=listen, args=(n,)) for n in range(20)]
                for listener in listeners:
                    listener.start()
                for listener in listeners:
                    listener.join()
                assert not problems
            assert httpx2.get(f"{found[0]}v1/status").status_code == 401
            # A raw request may hold what no client would send.
            port = int(found[0].split(":")[2].strip("/"))
            for line in (
                b"GET /../../etc/passwd HTTP/1.1",
                b"GET //etc/passwd HTTP/1.1",
                b"\0\xff",
            ):
                with socket.create_connection(("127.0.0.1", port), timeout=60) as raw:
                    raw.sendall(line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    answer = raw.makefile("rb").read()
                assert answer.split()[1] in (b"400", b"401")
                assert b"root:" not in answer
        finally:
            server.send_signal(signal.SIGINT)
            _, errors = server.communicate(timeout=60)
    assert server.returncode == 130
    assert "Traceback" not in errors
    assert "Warning" not in errors
