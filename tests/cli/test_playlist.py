"""`muscall playlist`: what it prints and writes, and its exit codes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from muscall import Library, MusCALL

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def songs(music: Path, tmp_path: Path) -> Path:
    return shutil.copytree(music, tmp_path / "songs")


@pytest.fixture
def folder(songs: Path, tiny_model: MusCALL, tmp_path: Path) -> Path:
    Library(tmp_path / "library", tiny_model).index([songs], workers=1)
    return tmp_path / "library"


@pytest.fixture
def ask(run: Run, folder: Path, tiny_checkpoint: Path) -> Run:
    """Run a command on the library, with the model where it takes one."""

    def ask(*arguments: object) -> SimpleNamespace:
        model = [] if arguments[1] in ("list", "remove") else ["--model", tiny_checkpoint]
        return run(*arguments, "--library", folder, *model)

    return ask


def test_a_request_is_saved_listed_shown_and_removed(ask: Run, folder: Path, songs: Path) -> None:
    file = folder / "playlists" / "rainy.m3u8"
    done = ask("playlist", "save", "rainy", "a tone, no drums", "-n", 3)
    assert (done.code, done.out) == (0, "")
    assert done.err.endswith(f" tracks in {file}\n")
    done = ask("playlist", "list")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{'rainy':<24}  a tone, no drums (3)  {file}\n"
    shown = ask("playlist", "show", "rainy", "--json")
    assert shown.out == ask("search", "a tone, no drums", "-n", 3, "--json").out
    (songs / "below" / "4.wav").rename(songs / "5.wav")
    assert ask("index", "--workers", 1).code == 0
    paths = ask("playlist", "show", "rainy", "--paths").out.splitlines()
    assert file.read_text().splitlines()[2::2] == paths
    done = ask("playlist", "remove", "rainy")
    assert (done.code, done.err) == (0, f"muscall: rainy is removed, and {file}\n")
    assert not file.exists()
    done = ask("playlist", "show", "rainy")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("muscall: rainy: no such playlist")


def test_radio_and_paths_are_saved(ask: Run, songs: Path, tmp_path: Path) -> None:
    first, last, file = songs / "0.wav", songs / "3.wav", tmp_path / "list.m3u8"
    done = ask("playlist", "save", "way", "--path", "--like", first, "--like", last,
               "-n", 2, "--m3u", file, "--relative")  # fmt: skip
    assert done.code == 0, done.err
    assert file.read_text().splitlines()[2::2] == ["songs/0.wav", "songs/3.wav"]
    done = ask("playlist", "save", "radio", "--walk", "--like", first, "--prefix", f"{songs}=/m")
    assert done.code == 0, done.err
    (path, radio) = sorted(
        json.loads(ask("playlist", "list", "--json").out), key=lambda one: one["way"]
    )
    assert (path["name"], path["way"], path["file"]) == ("way", "path", str(file))
    lines = Path(radio["file"]).read_text().splitlines()[2::2]
    assert lines
    assert all(line.startswith("/m/") for line in lines)


def test_the_key_of_a_server_is_neither_kept_nor_shown(ask: Run, folder: Path) -> None:
    key = "correct-horse-battery"
    done = ask("playlist", "save", "served", "a tone", "--server", "http://h:1", "--api-key", key)
    assert done.code == 0, done.err
    written = (folder / "playlists" / "served.m3u8").read_text()
    assert "http://h:1/rest/stream?id=" in written
    assert "&u=muscall&t=" in written
    assert key not in written + (folder / "requests.json").read_text()
    assert "sign" not in ask("playlist", "list", "--json").out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["a"], 1, "say what to find"),
        (["a/b", "calm"], 1, '"a/b": no name for a playlist'),
        (["a", "calm", "--where", "yeer = 1"], 1, "filter: there is no yeer"),
        (["a", "--walk"], 1, "a walk needs 1 to be like, not 0"),
        (["a", "--walk", "--path"], 2, "choose one of --walk and --path"),
        (["a", "calm", "--prefix", "x"], 2, "OLD=NEW"),
        (["a", "calm", "--server", "music.local"], 2, "an address as http://"),
        (["a", "calm", "--relative", "--prefix", "a=b"], 1, "choose one"),
        (["a", "calm", "--m3u", "/none/a.m3u8"], 1, "/none/a.m3u8: cannot be written"),
    ],
)
def test_what_is_wrong_is_told(ask: Run, arguments: list[str], code: int, says: str) -> None:
    done = ask("playlist", "save", *arguments)
    assert (done.code, done.out) == (code, "")
    assert says in done.err
    assert ask("playlist", "list").out == ""


def test_without_a_library_there_are_none(run: Run, tmp_path: Path) -> None:
    done = run("playlist", "list", "--library", tmp_path / "none")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"muscall: {tmp_path}/none: no library there")
    done = run("playlist", "save", "a", "calm", "--library", tmp_path / "none", "--model", "none")
    assert done.err.startswith(f"muscall: {tmp_path}/none: no library there")
    assert list(tmp_path.iterdir()) == []
