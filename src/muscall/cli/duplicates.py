"""`muscall duplicates`"""

from __future__ import annotations

from muscall.cli.common import (
    Json,
    LibraryPath,
    Model,
    Threads,
    open_library,
    print_json,
    readable,
)
from muscall.clock import clock
from muscall.errors import one_line


def duplicates(
    library: LibraryPath = None,
    as_json: Json = False,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """List what the library holds more than once.

    First files with the very same sound, whatever their tags; then tracks of about the same length
    that sound the same: another encoding or edition, but maybe another piece. Nothing is changed.
    """
    found = open_library(library, model, threads).duplicates()
    if as_json:
        print_json(
            {
                "copies": [[readable(path) for path in group] for group in found.copies],
                "versions": [
                    [{**vars(version), "path": readable(version.path)} for version in group]
                    for group in found.versions
                ],
            }
        )
        return
    from muscall.library.playlists.m3u8 import called

    for files in found.copies:
        lines = [f"  {one_line(readable(path))}" for path in files]
        print("\n".join([f"the same sound in {len(files)} files", *lines]), flush=True)
    for group in found.versions:
        print(f"{len(group)} tracks that sound the same")
        for version in group:
            name = one_line(called(version.path, version.title, version.artist))
            path = one_line(readable(version.path))
            print(f"  {clock(version.duration):>7}  {name:<32}  {path}", flush=True)
