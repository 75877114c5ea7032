"""`muscall playlist`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from muscall.cli.common import (
    Json,
    LibraryPath,
    Model,
    Threads,
    exit_on_failures,
    message,
    open_library,
    print_json,
    progress_bar,
    readable,
    unicode,
)
from muscall.cli.found import (
    AsPaths,
    Avoid,
    Form,
    Like,
    M3u,
    MaxPerArtist,
    Query,
    Relative,
    Unlike,
    Where,
    one_filter,
)
from muscall.errors import one_line

app = typer.Typer(
    help="Playlists that stay alive: requests, whose lists `muscall index` writes anew.",
    no_args_is_help=True,
)

To = Annotated[
    str | None,
    typer.Option(
        "--to",
        envvar="MUSCALL_PUSH_TO",
        metavar="URL",
        help="The Subsonic server for playlists: https://music.example.com.",
    ),
]
User = Annotated[
    str | None,
    typer.Option("--user", envvar="MUSCALL_PUSH_USER", help="Whose playlist it becomes there."),
]
Password = Annotated[
    str | None,
    typer.Option(
        "--password",
        envvar="MUSCALL_PUSH_PASSWORD",
        help="Of the user. Others on this machine see what stands in a command; better set the "
        "variable.",
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")]


@app.command()
def save(
    name: Name,
    query: Query = None,
    like: Like = None,
    unlike: Unlike = None,
    avoid: Avoid = None,
    where: Where = None,
    n: Annotated[int, typer.Option("-n", min=1, help="How many tracks.")] = 50,
    max_per_artist: MaxPerArtist = None,
    walk: Annotated[
        bool, typer.Option("--walk", help="A radio from the song of --like instead.")
    ] = False,
    path: Annotated[
        bool, typer.Option("--path", help="A path from the first --like to the second instead.")
    ] = False,
    m3u: Annotated[
        Path | None,
        typer.Option(
            "--m3u",
            metavar="OUT.m3u8",
            dir_okay=False,
            help="Where to write the list, instead of playlists/NAME.m3u8 in the library's folder.",
        ),
    ] = None,
    relative: Relative = False,
    prefix: Annotated[
        str | None,
        typer.Option(
            metavar="OLD=NEW",
            help="Another beginning of the paths, for a player that has the music elsewhere: "
            "/home/ann/Music=/music.",
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Instead of paths, addresses of `muscall serve`, such as http://192.168.0.7:8765.",
        ),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="MUSCALL_API_KEY",
            metavar="KEY",
            help="With --server: its key. The list shows a token made of it.",
        ),
    ] = None,
    library: LibraryPath = None,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Keep a request, write its list, and write it anew after every `muscall index`.

    What is asked for is said as to `muscall search`. Another request of that name is replaced.
    """
    if walk and path:
        raise typer.BadParameter("choose one of --walk and --path")
    if server is not None and not server.startswith(("http://", "https://")):
        raise typer.BadParameter("an address as http://192.168.0.7:8765", param_hint="--server")
    old, equals, new = (prefix or "").partition("=")
    if prefix is not None and not (old and equals and new):
        raise typer.BadParameter("OLD=NEW, as /home/ann/Music=/music", param_hint="--prefix")
    music = open_library(library, model, threads)
    from muscall.library.playlists.saved import Request
    from muscall.library.playlists.subsonic import signed
    from muscall.library.scan import path_text

    request = Request(
        way="walk" if walk else "path" if path else "search",
        text=unicode(query or ""),
        like=tuple(like or ()),
        unlike=tuple(unlike or ()),
        avoid=tuple(map(unicode, avoid or ())),
        where=one_filter(where),
        n=n,
        max_per_artist=max_per_artist,
        file="" if m3u is None else path_text(m3u.absolute()),
        relative=relative,
        prefix=(old, new) if prefix else None,
        server=server or "",
        sign=signed(api_key) if server and api_key else "",
    )
    found = music.playlists.save(name, request)
    message(f"{len(found)} tracks in {readable(music.playlists.get(name).file)}")


@app.command("list")
def list_(as_json: Json = False, library: LibraryPath = None) -> None:
    """Show what is saved: the names, what they ask for, and where their lists are."""
    music = open_library(library)
    music.store.must_exist()
    saved = music.playlists.all()
    if as_json:
        # What shows the key of a server is not shown.
        shown = [
            {"name": one.name, "file": readable(one.file)}
            | one.request.model_dump(mode="json", exclude={"sign", "file"})
            for one in saved
        ]
        print_json(shown)
        return
    for one in saved:
        print(f"{one.name:<24}  {one.request.said()}  {readable(one.file)}", flush=True)


@app.command()
def show(
    name: Name,
    as_json: Json = False,
    as_paths: AsPaths = False,
    m3u: M3u = None,
    relative: Relative = False,
    library: LibraryPath = None,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Show what a request finds now, as `muscall search` does."""
    form = Form(as_json, as_paths, m3u, relative)
    form.show(open_library(library, model, threads).playlists.tracks(name))


@app.command()
def remove(name: Name, library: LibraryPath = None) -> None:
    """Forget a request and delete its list; no music."""
    saved = open_library(library).playlists.remove(name)
    message(f"{saved.name} is removed, and {readable(saved.file)}")


@app.command()
def push(
    name: Name,
    to: To = None,
    user: User = None,
    password: Password = None,
    library: LibraryPath = None,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Write what a request finds now to a Subsonic server, as the playlist NAME.

    The user's playlist of that name is replaced. Tracks are known there by the end of their path,
    their MusicBrainz id, or their title, artist and length; the others are listed.
    """
    if not (to and user and password):
        raise typer.BadParameter("say where to: --to, --user and --password")
    music = open_library(library, model, threads)
    from muscall.library.playlists.m3u8 import called
    from muscall.library.playlists.pushing import push as push_to
    from muscall.library.playlists.subsonic import Server

    server = Server(to, unicode(user), unicode(password))
    hits = music.playlists.tracks(name)
    with progress_bar("Looking up") as progress:
        pushed = push_to(server, name, hits, progress)
    for hit in pushed.missing:
        print(f"{one_line(called(hit.path, hit.title, hit.artist)):<32}  {readable(hit.path)}")
    message(f"{len(pushed.there)} of {len(hits)} tracks in {name} at {server.url}")
    if pushed.missing:
        message(f"the other {len(pushed.missing)} were not found there")
    exit_on_failures(pushed.missing)
