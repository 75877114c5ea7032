"""`muscall serve`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from muscall.cli.common import LibraryPath, Model, Threads, limit_threads, message
from muscall.errors import MuscallError, needs

if TYPE_CHECKING:
    import socket

    from starlette.types import ASGIApp

_PATIENCE = 5  # seconds for listeners to finish, when the server is stopped

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        envvar="MUSCALL_API_KEY",
        metavar="KEY",
        help="What everybody has to give; needed where others can reach the address.",
    ),
]


@needs("serve", "muscall serve")
def serve(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="DIR", help="Folders of music to index meanwhile."),
    ] = None,
    host: Host = "127.0.0.1",
    port: Port = 8765,
    api_key: ApiKey = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="Address that people open, where a proxy hides it: https://music.example.com.",
        ),
    ] = None,
    below: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Let the page add folders below DIR alone; without it any folder, or, with a key, "
            "those below your home.",
        ),
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    library: LibraryPath = None,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Show the library in a web page, and serve it to programs under /v1.

    `muscall serve ~/Music` indexes a folder meanwhile.
    """
    from muscall.serving import security
    from muscall.serving.folders import Folders

    security.check(host, api_key)
    music = [Folders([Path("/")]).find(str(folder.absolute())) for folder in folders or ()]
    listening = listen(host, port)
    limit_threads(threads)
    from muscall.library.library import Library
    from muscall.serving.app import build

    app = build(
        Library(library, model),
        host=host,
        api_key=api_key,
        allowed_origins=allow_origin or (),
        below=below or (),
    )
    if music:
        app.state.service.indexing.start(music)
    address = address_of(host, listening)
    message(f"serving at {address}")
    if open_page:
        import webbrowser

        webbrowser.open(address)
    run(app, listening)


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for listeners.

    Raises:
        MuscallError: the address cannot be had.
    """
    import socket

    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason, *_ = (error.strerror or str(error)).split(" (while")  # the address once more
        raise MuscallError(f"{host}:{port}: {reason}") from None


def address_of(host: str, listening: socket.socket) -> str:
    """Where a browser finds what listens on `host`."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listening.getsockname()[1]}/"


def run(app: ASGIApp, listening: socket.socket) -> None:
    """Serve until somebody stops it."""
    import uvicorn

    settings = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_PATIENCE,
    )
    uvicorn.Server(settings).run(sockets=[listening])
