"""The commands that ask a library: what they print and write, and their exit codes."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import mutagen
import pyarrow.parquet as pq
import pytest
import soundfile

from muscall import Library, MusCALL
from muscall.clock import clock

Run = Callable[..., SimpleNamespace]
ODD = os.fsdecode(b"3 \xff\n.flac")


@pytest.fixture(scope="module")
def songs(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of `music` as FLAC, two of them tagged, one with an odd name, one twice."""
    folder = tmp_path_factory.mktemp("songs")
    for number in range(4):
        samples, rate = soundfile.read(music / f"{number}.wav")
        soundfile.write(folder / f"{number}.flac", samples, rate)
    for number, title in ((0, "Low Tone"), (1, "Octave")):
        file = mutagen.File(folder / f"{number}.flac")
        file["title"], file["artist"], file["date"] = title, "Ann", f"200{number}"
        file.save()
    (folder / "3.flac").rename(folder / ODD)
    shutil.copy(folder / "0.flac", folder / "copy.flac")
    return folder


@pytest.fixture(scope="module")
def indexed(songs: Path, tiny_model: MusCALL, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library") / "library"
    Library(folder, tiny_model).index([songs], workers=1)
    return folder


@pytest.fixture
def ask(run: Run, indexed: Path, tiny_checkpoint: Path) -> Run:
    """Run a command on the library."""
    return lambda command, *arguments: run(
        command, "--library", indexed, "--model", tiny_checkpoint, *arguments
    )


def test_search_prints_a_table(ask: Run, songs: Path) -> None:
    done = ask("search", "octave", "-n", 3)
    assert (done.code, done.err) == (0, "sound: octave · title: Octave\n")
    lines = done.out.splitlines()
    (named,) = [line for line in lines if " * " in line]
    assert named.endswith(f"  {'Ann - Octave':<32}  {songs}/1.flac")
    ranks = [line.split()[0] for line in lines]
    assert [rank for rank in ranks if rank != "also"] == ["1", "2", "3"][
        : len(set(ranks) - {"also"})
    ]
    starts = {line.index(str(songs)) for line in lines}
    assert len(starts) == 1


def test_search_prints_objects(ask: Run, songs: Path) -> None:
    done = ask("search", "octave", "--json", "--where", "year = 2001")
    (hit,) = json.loads(done.out)["results"]
    assert (hit["rank"], hit["path"], hit["title"]) == (1, f"{songs}/1.flac", "Octave")
    assert hit["keyword_match"] is True
    assert hit["relative_score"] == 1
    assert set(hit["passage"]) == {"start", "seconds"}
    assert hit["versions"] == []


def test_filters_may_be_repeated_and_all_hold(ask: Run, songs: Path) -> None:
    filters = ("--where", "artist = ann", "--where", "year = 2000 or year = 1900")
    for command in (["search"], ["search", "octave"], ["similar", songs / "1.flac"]):
        (hit,) = json.loads(ask(*command, *filters, "--json").out)["results"]
        assert hit["title"] == "Low Tone"
    done = ask("search", "--where", "year = 2000", "--where", "yeer = 1")
    assert (done.code, done.err.split(",")[0]) == (1, "muscall: filter: there is no yeer")


def test_search_prints_paths_as_they_are(ask: Run, songs: Path) -> None:
    done = ask("search", "--paths", "--where", "path ~ '%ff'")
    assert done.code == 0
    assert done.out == f"{songs}/3 \\xff\n.flac\n"  # pytest escapes the byte, not the line break
    done = ask("search", "--where", "path ~ '%ff'")
    assert done.out.endswith(rf"  {songs}/3 \xff\n.flac" + "\n")
    done = ask("search", "--where", "artist = ann")
    assert f"Ann - Low Tone{'':18}  {songs}/" in done.out
    assert "%" not in done.out


def test_search_writes_a_playlist(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "list.m3u8"
    done = ask("search", "octave", "--where", "artist = ann", "--m3u", file)
    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines()[1:] == [f"muscall: 2 tracks in {file}"]
    lines = file.read_text("utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    assert sorted(lines[1::2]) == ["#EXTINF:3,Ann - Low Tone", "#EXTINF:3,Ann - Octave"]
    assert all(Path(path).is_file() for path in lines[2::2])


def test_examples_lead_the_search(ask: Run, songs: Path) -> None:
    first = f"{songs}/1.flac"
    liked = ask("search", "--like", first, "--like", f"{songs}/2.flac@0:00-0:02", "--json")
    assert liked.code == 0
    found = json.loads(liked.out)["results"]
    paths = {hit["path"] for hit in found} | {v["path"] for hit in found for v in hit["versions"]}
    assert len(paths) == 2
    assert not paths & {first, f"{songs}/2.flac"}
    similar = ask("similar", first, "--json", "--max-per-artist", 1)
    assert similar.out == ask("search", "--like", first, "--json", "--max-per-artist", 1).out
    away = ask("search", "tone", "--like", first, "--unlike", f"{songs}/2.flac",
               "--avoid", "drums", "--avoid", "vocals", "--json")  # fmt: skip
    assert {hit["path"] for hit in json.loads(away.out)["results"]}.isdisjoint(
        {first, f"{songs}/2.flac"}
    )


def test_a_walk_and_a_path_are_shown_and_written(ask: Run, songs: Path, tmp_path: Path) -> None:
    first, last, file = songs / "1.flac", songs / "2.flac", tmp_path / "radio.m3u8"
    walk = [
        hit["path"]
        for hit in json.loads(ask("similar", first, "--walk", 9, "--json").out)["results"]
    ]
    assert walk
    assert str(first) not in walk
    assert len(set(walk)) == len(walk)
    done = ask("similar", first, "--walk", 9, "--m3u", file)
    assert (done.code, done.err) == (0, f"muscall: {len(walk)} tracks in {file}\n")
    path = [hit["path"] for hit in json.loads(ask("path", first, last, "--json").out)["results"]]
    assert (path[0], path[-1]) == (str(first), str(last))
    done = ask("path", first, last, "-n", 2)
    assert [line.split()[-1] for line in done.out.splitlines()] == [str(first), str(last)]
    done = ask("path", f"{first}@0:01-0:02", last, "-n", 2, "--paths")
    assert done.out.splitlines() == [str(first), str(last)]
    assert ask("path", first, last, "-n", 2, "--m3u", file).code == 0
    assert file.read_text().splitlines()[2::2] == [str(first), str(last)]


def test_nothing_that_fits_is_said(ask: Run) -> None:
    done = ask("search", "tone", "--where", "year = 1800")
    assert (done.code, done.out, done.err) == (0, "", "muscall: nothing fits\n")
    done = ask("search", "tone", "--where", "year = 1800", "--json")
    assert (done.code, json.loads(done.out)["results"]) == (0, [])


@pytest.mark.parametrize("query", ["\udcff\udcfe", "🎵\x00", '"', "a* AND (", "word " * 10_000])
def test_odd_queries(ask: Run, query: str) -> None:
    done = ask("search", query, "--json")
    assert (done.code, len(done.err.splitlines())) == (0, len(query) > 1000)
    assert json.loads(done.out)["results"]


def test_describe_prints_kinds_and_their_labels(ask: Run, songs: Path, tmp_path: Path) -> None:
    done = ask("describe", f"{songs}/1.flac@0:00-0:02", "-n", 2)
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == [
        "genre", "mood", "instrument", "sound"
    ]  # fmt: skip
    assert all(line.count(",") == 1 for line in done.out.splitlines())
    assert done.err == "muscall: under 20 tracks are indexed to compare labels with\n"
    own = tmp_path / "own.txt"
    own.write_text("calm\nwild\n")
    labels = json.loads(ask("describe", songs / "1.flac", "--labels", own, "--json").out)
    assert [(label["kind"], label["text"]) for label in labels] in (
        [("label", "calm"), ("label", "wild")],
        [("label", "wild"), ("label", "calm")],
    )
    assert labels[0]["strength"] > labels[1]["strength"]


def test_duplicates_are_listed_apart(ask: Run, songs: Path) -> None:
    done = ask("duplicates")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[:3] == [
        "the same sound in 2 files", f"  {songs}/0.flac", f"  {songs}/copy.flac"
    ]  # fmt: skip
    found = json.loads(ask("duplicates", "--json").out)
    assert found["copies"] == [[f"{songs}/0.flac", f"{songs}/copy.flac"]]
    for group in found["versions"]:
        assert {tuple(version) for version in group} == {("path", "title", "artist", "duration")}
    headings = [line for line in lines if line.endswith("tracks that sound the same")]
    assert len(headings) == len(found["versions"])


def test_export_writes_a_table(ask: Run, tmp_path: Path) -> None:
    done = ask("export", "--parquet", tmp_path / "tracks.parquet")
    assert (done.code, done.out) == (0, "")
    assert done.err == f"muscall: 4 tracks in {tmp_path}/tracks.parquet\n"
    assert pq.read_table(tmp_path / "tracks.parquet").num_rows == 4


def test_moods_are_written_once_and_nothing_is_listened_to_again(
    run: Run, songs: Path, tiny_model: MusCALL, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(songs, tmp_path / "songs")
    library = Library(tmp_path / "library", tiny_model)
    library.index([folder], workers=1)
    labels = tmp_path / "moods.txt"
    labels.write_text("calm\nwild\n")
    (folder / "bad.mp3").write_text("no sound")

    def tag(*options: str) -> SimpleNamespace:
        where = ("--library", tmp_path / "library", "--model", tiny_checkpoint)
        return run("tag", folder, "--labels", labels, *where, *options)

    plain = tag()
    assert plain.code == 3
    lines = plain.out.splitlines()
    assert len(lines) == 5
    told = dict(line.rsplit(": ") for line in lines)
    assert set(told.values()) <= {"calm", "wild"}
    assert rf"{folder}/3 \xff\n.flac" in told
    assert f"muscall: {folder}/bad.mp3: " in plain.err

    before = {path: path.read_bytes() for path in folder.iterdir()}
    dry = tag("--dry-run")
    assert (dry.code, dry.out) == (3, plain.out)
    assert dry.err.endswith("muscall: dry run: 5 files would be written\n")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before

    done = tag("--write-tags")
    assert (done.code, done.out) == (3, plain.out)
    assert done.err.endswith("muscall: 5 files written\n")
    for path in folder.glob("*.flac"):
        (mood,) = mutagen.File(path)["mood"]
        assert mood in ("calm", "wild")
    assert mutagen.File(folder / "0.flac")["title"] == ["Low Tone"]
    (folder / "bad.mp3").unlink()
    assert tag("--write-tags").err.endswith("muscall: 0 files written\n")
    report = library.index(workers=1)
    assert (report.added, report.retagged, report.seconds) == (0, 5, 0)


def test_files_are_searched_by_a_sentence_alone(
    run: Run, music: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    model = ("--model", tiny_checkpoint)
    done = run("search", "a tone", music, "-n", 2, "--paths", *model)
    assert done.code == 0
    assert {Path(line).is_file() for line in done.out.splitlines()} == {True}
    done = run("search", "a tone", music, "-n", 2, "--m3u", tmp_path / "a.m3u8", *model)
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / "a.m3u8").read_text().count("#EXTINF:3,") == 2
    for options in (["--like", "a.wav"], ["--where", "year > 1"], ["--avoid", "drums"]):
        done = run("search", "a tone", music, *options, *model)
        assert (done.code, done.out) == (2, "")
        assert "need the library" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["search"],
        ["search", "-n", "3"],
        ["search", "--where", " "],
        ["search", "a tone", "--json", "--paths"],
        ["search", "a tone", "--json", "--m3u", "a.m3u8"],
        ["search", "a tone", "--max-per-artist", "0"],
        ["similar"],
        ["similar", "a.wav", "--walk", "0"],
        ["similar", "a.wav", "--walk", "5", "--max-per-artist", "1"],
        ["path", "a.wav"],
        ["path", "a.wav", "b.wav", "-n", "1"],
        ["describe"],
        ["tag", "."],
        ["tag", "--labels", "moods.txt"],
        ["export"],
        ["export", "--parquet", "."],
        ["duplicates", "folder"],
    ],
)
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Error: " in done.err


def test_failures_are_one_line(ask: Run, run: Run, songs: Path, tmp_path: Path) -> None:
    none = tmp_path / "none"
    absent = f"{none}: no library there; `muscall index` makes one"
    for done, reason in (
        (run("search", "a tone", "--library", none), absent),
        (run("similar", songs / "0.flac", "--library", none), absent),
        (run("similar", songs / "0.flac", "--walk", 5, "--library", none), absent),
        (run("path", songs / "0.flac", songs / "1.flac", "--library", none), absent),
        (ask("path", songs / "0.flac", none), f"{none}: no such file"),
        (run("duplicates", "--library", none), absent),
        (run("search", "a tone", "--library", songs), f"{songs}: no library there"),
        (run("status", "--library", songs), f"{songs}: no library there"),
        (run("export", "--parquet", tmp_path / "a", "--library", none), absent),
        (ask("search", "a tone", "--where", "yeer > 1"), "filter: there is no yeer"),
        (ask("search", "--like", none), f"{none}: no such file"),
        (run("search", "a tone", none, "--model", "none"), f"{none}: no such file or folder"),
        (run("embed", none, "-o", songs / "a", "--model", "none"), f"{none}: no such file or"),
        (ask("index", none, "--model", "none"), f"{none}: no such folder"),
        (ask("similar", f"{songs}/0.flac@1:00"), f"{songs}/0.flac: ends before 60.00 s"),
        (ask("similar", f"{songs}/0.flac@3-2"), f"{songs}/0.flac: no passage from 3 to 2 s"),
        (ask("describe", songs), f"{songs}: is a folder"),
        (ask("describe", songs / "0.flac", "--labels", none), f"{none}: no labels: No such file"),
        (ask("tag", none, "--labels", songs / "0.flac"), f"{none}: no such file"),
        (ask("tag", songs, "--labels", songs / "0.flac"), f"{songs}/0.flac: no labels: "),
        (ask("export", "--parquet", none / "a"), f"{none}/a: cannot be written: No such file"),
    ):
        assert (done.code, done.out) == (1, "")
        (line,) = done.err.splitlines()
        assert line.startswith(f"muscall: {reason}")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_goes_away(indexed: Path, tiny_checkpoint: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    options = ["--paths", "--library", indexed, "--model", tiny_checkpoint]
    done = subprocess.run(
        [sys.executable, "-m", "muscall", "search", "a tone", *options],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_clock() -> None:
    assert [clock(seconds) for seconds in (0, 9.9, 65, 3599, 3725.5)] == [
        "0:00", "0:09", "1:05", "59:59", "1:02:05"
    ]  # fmt: skip


@pytest.mark.parametrize("table", ["tracks_*", "windows_*"])
def test_a_damaged_table_is_one_line(ask: Run, indexed: Path, tmp_path: Path, table: str) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(indexed, damaged)
    for file in damaged.glob(f"{table}.lance/data/*.lance"):
        os.truncate(file, 100)
    done = ask("search", "octave", "--library", damaged)
    assert (done.code, done.out) == (1, "")
    (line,) = done.err.splitlines()
    assert line.startswith("muscall: the library is damaged: `muscall index` repairs it")
    assert "rustc" not in line
    assert ask("search", "octave").code == 0


def test_a_damaged_library_is_told_and_repaired(
    ask: Run, run: Run, indexed: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(indexed, damaged)
    for file in damaged.glob("windows_*.lance/data/*"):
        os.truncate(file, 10)
    told = "the library is damaged (windows): `muscall index` repairs it"
    done = run("status", "--library", damaged)
    assert (done.code, done.err) == (0, "")
    assert f"damage    {told}" in done.out
    assert list(json.loads(run("status", "--library", damaged, "--json").out)["damage"])
    done = ask("index", "--library", damaged, "--workers", 1)
    assert done.code == 0
    assert "was damaged" in done.err
    assert "cargo" not in done.err
    assert "LanceError" not in done.err
    assert "damage  " not in run("status", "--library", damaged).out
    assert ask("search", "octave", "--library", damaged).code == 0


def test_music_is_never_written_to_except_by_write_tags(
    run: Run, songs: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(songs, tmp_path / "songs")
    labels = tmp_path / "moods.txt"
    labels.write_text("calm\nwild\n")
    paths = sorted([folder, *folder.rglob("*")])

    def stamps() -> list[tuple[Path, int, int]]:
        there = sorted([folder, *folder.rglob("*")])
        return [(path, path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in there]

    before = stamps()
    assert [path for path, *_ in before] == paths
    options = ("--library", tmp_path / "library")
    for command in (
        ("index", folder),
        ("search", "octave"),
        ("similar", folder / "0.flac"),
        ("similar", folder / "0.flac", "--walk", 5),
        ("path", folder / "0.flac", folder / "1.flac"),
        ("describe", folder / "0.flac", "--labels", labels),
        ("tag", folder, "--labels", labels),
        ("tag", folder, "--labels", labels, "--write-tags", "--dry-run"),
        ("duplicates",),
        ("export", "--parquet", tmp_path / "tracks.parquet"),
        ("index", "--forget", folder),
    ):
        assert run(*command, *options, "--model", tiny_checkpoint).code == 0, command
        assert stamps() == before, command


def test_nothing_is_written_before_all_is_shown(
    songs: Path, tiny_model: MusCALL, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(songs, tmp_path / "songs")
    Library(tmp_path / "library", tiny_model).index([folder], workers=1)
    labels = tmp_path / "moods.txt"
    labels.write_text("calm\nwild\n")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    main, terminal = pty.openpty()
    command = [sys.executable, "-m", "muscall", "tag", folder, "--labels", labels, "--write-tags"]
    options = ["--library", tmp_path / "library", "--model", tiny_checkpoint]
    os.write(main, b"n\n")
    done = subprocess.run(
        [*command, *options], stdin=terminal, capture_output=True, text=True, check=False
    )
    os.close(main)
    os.close(terminal)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 5
    assert "write these into 5 files? [y/N]" in done.stderr
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
