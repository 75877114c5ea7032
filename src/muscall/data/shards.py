"""Where the files of a manifest are: one, many by a pattern, or in a dataset of a hub."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError

from muscall.errors import ManifestError

_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
_HUB = re.compile(
    r"hf://datasets/([\w.-]+/[\w.-]+)(?:@(refs/(?:convert|pr)/[^/]+|[^/]+))?/(.+)", re.ASCII
)


def located(written: str | Path) -> list[Path]:
    """The files that `written` stands for, in the order of their numbers or names.

    It is a path, in which `{000..099}` stands for each number and `*`, `?` and `[...]` for what
    is there. Or it is such a path in a dataset of a hub,
    `hf://datasets/owner/name/data/train-*.parquet`, with `@revision` after the name if need be:
    then the files are fetched into the hub's cache, and taken from there the next time.

    Raises:
        ManifestError: nothing is called so, or the hub does not give it.
    """
    if str(written).startswith("hf://"):
        return _fetched(str(written))
    if Path(written).exists():  # though its name may look like a pattern
        return [Path(written)]
    found: list[Path] = []
    for path in _numbered(str(written)):
        if path != glob.escape(path):
            # Not pathlib's, which needs to be told the folder to begin with.
            there = sorted(glob.glob(path, recursive=True))  # noqa: PTH207
            if not there:
                raise ManifestError(path, [f"{path}: no file is called so"])
            found += map(Path, there)
        else:
            found.append(Path(path))
    return found


def _numbered(written: str) -> list[str]:
    """`written` with each number of its first range in place of it, and so on."""
    found = _RANGE.search(written)
    if found is None:
        return [written]
    first, last = found.groups()
    return [
        f"{written[: found.start()]}{number:0{len(first)}}{rest}"
        for number in range(int(first), int(last) + 1)
        for rest in _numbered(written[found.end() :])
    ]


def _fetched(address: str) -> list[Path]:
    parts = _HUB.fullmatch(address)
    if parts is None:
        raise ManifestError(
            Path(address), [f"{address}: expected hf://datasets/owner/name[@revision]/file"]
        )
    name, revision, path = parts.groups()
    try:
        folder = snapshot_download(
            name, repo_type="dataset", revision=revision, allow_patterns=_numbered(path)
        )
    except (HfHubHTTPError, OSError, ValueError) as error:
        reason = str(error).split("\n", 1)[0]
        raise ManifestError(Path(address), [f"{address}: cannot be fetched: {reason}"]) from None
    return located(f"{glob.escape(folder)}/{path}")
