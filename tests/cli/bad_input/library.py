"""The commands of a library on bad input: the sections of docs/bad-input.md that need one."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from pathlib import Path

from filelock import FileLock

from tests.cli.bad_input.session import MUSCALL, Session, mounted, remount


def make_library() -> None:
    """Folders, files of labels, and what stands where a library should."""
    shutil.copy("whole/a.flac", "song.flac")
    Path("moods.txt").write_text("calm\nwild\n")
    Path("empty.txt").touch()
    Path("blank.txt").write_text("\n \n")
    Path("binary.txt").write_bytes(b"\xff\xfe\x00calm")
    Path("broken-labels.yaml").write_text("mood: [calm, wild")
    Path("number.yaml").write_text("mood: 3\n")
    Path("no-labels.yaml").write_text("mood: []\n")
    Path("in-the-way").write_text("no library")


def indexing(run: Session) -> None:
    run.section("The library: index")
    index = "index bad --workers 1 --model MODEL"
    shown = "index bad --workers 1"
    run.try_("bad files in the folder", index, 3, shown=shown)
    run.try_("the same once more, without what failed", index, 0, shown=shown)
    for what, command, expected in (
        ("odd names", ["odd names"], 3),
        ("a folder without music", ["no music"], 0),
        ("all of it is left out", ["many", "--exclude", "*.wav"], 0),
        ("no such folder", ["nowhere"], 1),
        ("a file", ["song.flac"], 1),
        ("no folder, and none is known", ["--library", "new"], 1),
        ("a file where the library should be", ["many", "--library", "in-the-way"], 1),
        ("a library below a file", ["many", "--library", "in-the-way/library"], 1),
        ("a library in a storage that there is not", ["many", "--library", "abc://there"], 1),
        ("no such model", ["many", "--model", "nowhere"], 1),
        ("no processes", ["many", "--workers", "0"], 2),
        ("an unknown engine", ["many", "--engine", "steam"], 2),
    ):
        rest = [] if "--model" in command else ["--model", "MODEL"]
        run.try_(what, ["index", *command, *rest], expected)
    with FileLock("library/.lock"):
        run.try_("another run is at work", "index many --model MODEL", 1)
    with mounted(Path("fixed"), "1m") as there:
        if there:
            remount(Path("fixed"), "ro")
            run.try_("a read-only disk", "index many --library fixed/library --model MODEL", 1)
    with mounted(Path("tight"), "64k") as there:
        if there:
            run.try_("a full disk", "index many --library tight/library --model MODEL", 1)


def searching(run: Session) -> None:
    run.section("The library: search and similar")
    search = ["search", "a tone"]
    for what, command, expected in (
        ("an empty query", ["search"], 2),
        ("no library yet", [*search, "--library", "new"], 1),
        ("a folder that is no library", [*search, "--library", "no music"], 1),
        ("a file for a library", [*search, "--library", "in-the-way"], 1),
        ("a filter that ends early", ["search", "--where", "year >"], 1),
        ("an unknown field", ["search", "--where", "yeer > 1990"], 1),
        ("a number for a text", ["search", "--where", "title > 3"], 1),
        ("a text for a number", ["search", "--where", "year = late"], 1),
        ("SQL", ["search", "--where", "year > 0; DROP TABLE files"], 1),
        ("SQL in a text", ["search", "--where", 'title = "x\' OR 1=1 --"'], 0),
        ("brackets", ["search", "--where", "(" * 1500 + "year > 1" + ")" * 400], 1),
        ("a filter of many characters", ["search", "--where", "year > 1 or " * 200], 1),
        ("an example that is broken", ["search", "--like", "bad/text.mp3"], 1),
        ("an example that is not there", ["search", "--like", "nowhere.wav"], 1),
        ("less like what is broken", [*search, "--unlike", "bad/empty.wav"], 1),
        ("a playlist that cannot be written", [*search, "--m3u", "no/such/list.m3u8"], 1),
        ("a folder for a playlist", [*search, "--m3u", "bad"], 2),
        ("two forms", [*search, "--json", "--paths"], 2),
        ("no track of an artist", [*search, "--max-per-artist", "0"], 2),
        ("files by a filter", [*search, "bad", "--where", "year > 1"], 2),
        ("a broken file", ["similar", "bad/text.mp3"], 1),
        ("an empty file", ["similar", "bad/empty.wav"], 1),
        ("a folder", ["similar", "bad"], 1),
        ("no such file", ["similar", "nowhere.wav"], 1),
        ("no such file, a passage", ["similar", "nowhere.wav@0:01-0:02"], 1),
        ("a passage that ends before it begins", ["similar", "song.flac@9:99-1"], 1),
        ("a passage beyond the end", ["similar", "song.flac@1:00-1:20"], 1),
        ("a passage that is none", ["similar", "song.flac@soon"], 1),
        ("a passage of silence", ["similar", "bad/silent.wav@0-0.5"], 0),
        ("a filter that ends early", ["similar", "song.flac", "--where", "bpm <"], 1),
        ("no library yet", ["similar", "song.flac", "--library", "new"], 1),
    ):
        shown = f'{command[0]} --where "(((... year > 1"' if what == "brackets" else None
        if what == "a filter of many characters":
            shown = 'search --where "year > 1 or year > 1 or ..."'
        run.try_(what, [*command, "--model", "MODEL"], expected, shown=shown)


def listing(run: Session) -> None:
    run.section("The library: radio, paths and playlists")
    save, push = ["playlist", "save"], ["playlist", "push", "rainy", "--user", "ann"]
    push += ["--password", "secret"]
    for what, command, expected in (
        ("a radio from a broken file", ["similar", "bad/text.mp3", "--walk", "5"], 1),
        ("a radio of none", ["similar", "song.flac", "--walk", "0"], 2),
        ("a path to no file", ["path", "song.flac", "nowhere.wav"], 1),
        ("a path of one", ["path", "song.flac", "song.flac", "-n", "1"], 2),
        ("no library yet", ["path", "song.flac", "song.flac", "--library", "new"], 1),
        ("a request for nothing", [*save, "rainy"], 1),
        ("a name with a folder", [*save, "a/b", "a tone"], 1),
        ("an empty name", [*save, "", "a tone"], 1),
        ("a filter that ends early", [*save, "rainy", "--where", "year >"], 1),
        ("an example that is not there", [*save, "rainy", "--like", "nowhere.wav"], 1),
        ("a radio from nothing", [*save, "rainy", "--walk"], 1),
        ("a list that cannot be written", [*save, "rainy", "a tone", "--m3u", "no/list.m3u8"], 1),
        ("a beginning that is none", [*save, "rainy", "a tone", "--prefix", "/music"], 2),
        ("a server that is none", [*save, "rainy", "a tone", "--server", "music"], 2),
        ("no such playlist", ["playlist", "show", "rainy"], 1),
        ("no such playlist to push", [*push, "--to", "http://127.0.0.1:9"], 1),
        ("a server that is no address", [*push, "--to", "music"], 1),
    ):
        run.try_(what, [*command, "--model", "MODEL"], expected)
    run.try_("no such playlist to remove", ["playlist", "remove", "rainy"], 1)
    saved = [*save, "rainy", "a tone", "--where", "duration > 0", "-n", "1", "--model", "MODEL"]
    run.try_("a playlist", saved, 0)
    run.try_("no such server", [*push, "--to", "http://127.0.0.1:9", "--model", "MODEL"], 1)
    Path("library/requests.json").write_text("{")
    run.try_("a damaged file of playlists", ["playlist", "list"], 1)
    run.try_("after an index run, too", "index --workers 1 --model MODEL", 0)
    Path("library/requests.json").unlink()


def labelling(run: Session) -> None:
    run.section("The library: describe and tag")
    run.try_("a broken file", "describe bad/text.mp3 --model MODEL", 1)
    run.try_("a passage beyond the end", "describe song.flac@1:00 --model MODEL", 1)
    run.try_("no library", "describe song.flac -n 1 --library new --model MODEL", 0)
    for command in ("describe song.flac", "tag song.flac"):
        for what, labels in (
            ("no such file of labels", "nowhere.txt"),
            ("an empty file of labels", "empty.txt"),
            ("a blank file of labels", "blank.txt"),
            ("labels that are no text", "binary.txt"),
            ("broken YAML", "broken-labels.yaml"),
            ("YAML with a number for labels", "number.yaml"),
            ("YAML with an empty list", "no-labels.yaml"),
        ):
            run.try_(what, f"{command} --labels {labels} --model MODEL", 1)
    run.try_("a folder for labels", "tag song.flac --labels bad --model MODEL", 2)
    run.try_("no labels", "tag song.flac --model MODEL", 2)
    run.try_("no such folder", "tag nowhere --labels moods.txt --model MODEL", 1)
    run.try_(
        "a folder without music",
        ["tag", "no music", "--labels", "moods.txt", "--model", "MODEL"],
        1,
    )
    run.try_("bad files in the folder", "tag bad --labels moods.txt --model MODEL", 3)
    with mounted(Path("locked"), "1m") as there:
        if there:
            shutil.copy("song.flac", "locked/song.flac")
            remount(Path("locked"), "ro")
            tag = "tag locked/song.flac --labels moods.txt --write-tags"
            run.try_("a read-only file, only to see", f"{tag} --dry-run --model MODEL", 0)
            run.try_("a read-only file", f"{tag} --model MODEL", 3)


def keeping(run: Session) -> None:
    run.section("The library: duplicates, export, status and errors")
    for command in ("duplicates", "export --parquet tracks.parquet", "status", "errors"):
        rest = "" if command in ("status", "errors") else " --model MODEL"
        run.try_("no library", f"{command} --library new{rest}", 1)
        no_library = [*command.split(), "--library", "no music", *rest.split()]
        run.try_("a folder that is no library", no_library, 1)
        run.try_("a file for a library", f"{command} --library in-the-way{rest}", 1)
    run.check("no library was made", not Path("new").exists())
    run.check("a folder stayed as it was", len(list(Path("no music").iterdir())) == 1)
    run.try_("no such model", "duplicates --model nowhere", 1)
    run.try_("no folder to write into", "export --parquet no/such/t.parquet --model MODEL", 1)
    run.try_("a folder to write", "export --parquet bad --model MODEL", 2)
    run.try_("another suffix, which is no matter", "export --parquet tracks.csv --model MODEL", 0)


def damaged(run: Session) -> None:
    run.section("A damaged library")
    for table, parts in (("tracks", "data/*.lance"), ("files", "_versions/*")):
        library = shutil.copytree("library", f"cut-{table}")
        for file in Path(library).glob(f"{table}*.lance/{parts}"):
            os.truncate(file, 10)
        for code, command in (
            (1, ["search", "a tone", "--model", "MODEL"]),
            (1, ["duplicates", "--model", "MODEL"]),
            (0, ["status"]),
            (0, ["index", "many", "--workers", "1", "--model", "MODEL"]),
        ):
            run.try_(f"its {table} cut off", [*command, "--library", library], code)


def serving(run: Session) -> None:
    run.section("The library: serve")
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    run.try_("a port in use", f"serve --port {port}", 1, shown="serve --port PORT")
    taken.close()
    run.try_("a port out of range", "serve --port 65536", 2)
    run.try_("a port that is none", "serve --port http", 2)
    run.try_("open to others without a key", "serve --host 0.0.0.0", 1)
    run.try_("a key that is easily guessed", "serve --host 0.0.0.0 --api-key secret", 1)
    key = "abcdefghijklmnop"
    run.try_("an address of another machine", f"serve --host 192.0.2.1 --api-key {key}", 1)
    run.try_("no such host", f"serve --host no.such.host --api-key {key}", 1)
    run.try_("no such model", "serve --port 0 --model nowhere", 1)

    def stop(process: int) -> None:
        time.sleep(45)
        os.killpg(process, signal.SIGINT)

    shown = "serve --port 0 --library new"
    if run.only in shown:
        # A process of its own: NiceGUI looks at all objects there are, which a fork has more of.
        command = ["env", MUSCALL, *shown.split(), "--model", run.model]
        run.run("no library yet, then Ctrl-C", f"muscall {shown}", command, 130, interrupt=stop)
        run.check("no library was made", not Path("new").exists())


LIBRARY = (indexing, searching, listing, labelling, keeping, damaged, serving)
