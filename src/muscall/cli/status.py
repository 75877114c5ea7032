"""`muscall status` and `muscall errors`"""

from __future__ import annotations

from muscall.cli.common import Json, LibraryPath, open_library, print_json, readable
from muscall.errors import one_line


def status(library: LibraryPath = None, as_json: Json = False) -> None:
    """Say what is in the library."""
    found = open_library(library).status()
    if as_json:
        print_json(
            {
                "path": readable(found.path),
                "bytes": found.bytes,
                "roots": {
                    readable(root): when.isoformat(timespec="seconds")
                    for root, when in found.roots.items()
                },
                "files": found.files,
                "offline": found.offline,
                "failed": found.failed,
                "embedding_versions": [vars(version) for version in found.embedding_versions],
                "damage": found.damage,
            }
        )
        return
    lines = [f"library   {one_line(readable(found.path))}, {found.bytes / 1e6:,.1f} MB"]
    for root, when in found.roots.items():
        lines.append(
            f"folder    {one_line(readable(root))}, last read {when.astimezone():%F %H:%M}"
        )
    lines.append(f"files     {found.files:,}, {found.offline:,} offline, {found.failed:,} failed")
    for version in found.embedding_versions:
        counts = f"{version.tracks:,}, {version.offline:,} offline, {version.hours:,.1f} hours"
        lines.append(f"tracks    {counts}, embedding version {version.id}")
    if found.advice:
        lines.append(f"damage    {found.advice}")
    print("\n".join(lines), flush=True)


def errors(library: LibraryPath = None, as_json: Json = False) -> None:
    """List the files that cannot be read, and why."""
    found = open_library(library).errors()
    if as_json:
        print_json([{"path": readable(path), "reason": reason} for path, reason in found])
    elif found:
        print("\n".join(f"{one_line(readable(p))}: {reason}" for p, reason in found), flush=True)
