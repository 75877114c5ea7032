"""`muscall mcp`"""

from __future__ import annotations

from typing import Annotated

import typer

from muscall.cli.common import LibraryPath, Model, Threads, message, open_library
from muscall.cli.playlist import Password, To, User
from muscall.cli.serve import ApiKey, Host, Port, address_of, listen, run
from muscall.errors import needs


@needs("mcp", "muscall mcp")
def mcp(
    http: Annotated[
        bool, typer.Option("--http", help="Serve at an address instead of standard input.")
    ] = False,
    host: Host = "127.0.0.1",
    port: Port = 8766,
    api_key: ApiKey = None,
    to: To = None,
    user: User = None,
    password: Password = None,
    library: LibraryPath = None,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Give the library to an assistant, as tools of the Model Context Protocol.

    The assistant starts this command and talks to its standard input and output; with --http it is
    asked at /mcp instead. It can search, describe, save playlists, and, where --to, --user and
    --password name a Subsonic server, push them there.
    """
    given = [to, user, password]
    if any(given) and not all(given):
        raise typer.BadParameter("--to, --user and --password go together")
    from muscall.library.playlists.subsonic import Server
    from muscall.serving import security
    from muscall.serving.assistants import assistants, guarded
    from muscall.serving.service import Service

    remote = Server(to, user, password) if to and user and password else None
    listening = None
    if http:
        security.check(host, api_key)
        listening = listen(host, port)
    service = Service(open_library(library, model, threads))
    server = assistants(service, remote)
    try:
        if listening is None:
            server.run("stdio")
        else:
            message(f"serving assistants at {address_of(host, listening)}mcp")
            run(guarded(server, api_key), listening)
    finally:
        service.close()
