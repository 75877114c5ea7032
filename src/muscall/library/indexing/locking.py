"""The right to write to a library, and what is said where that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from muscall.errors import MuscallError
from muscall.library.store import Store, reason

# How a file system says that it has no hard links: exFAT, some of SMB and FUSE.
_UNLINKED = ("Operation not permitted", "Operation not supported", "Function not implemented")


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """The right to write to a library, whose folder is made.

    Raises:
        MuscallError: another process has it, or the folder cannot be written.
    """
    with written(store):
        lock = FileLock(_lock_path(store))
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            raise MuscallError(
                f"{store.folder}: another index run is at work there: wait for its end, or stop it"
            ) from None
    with held:
        yield


@contextmanager
def written(store: Store) -> Iterator[None]:
    """Errors of the system and of LanceDB as one line."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        why = reason(error)
        if why in _UNLINKED and isinstance(store.folder, Path):
            why += (
                f"; {_file_system(store.folder)} may have no hard links, which a library needs: "
                "put it elsewhere (--library, MUSCALL_LIBRARY), the music may stay"
            )
        raise MuscallError(f"{store.folder}: cannot be written: {why}") from error


def _file_system(folder: Path) -> str:
    """The name of a file system, where Linux gives it."""
    mounts = Path("/proc/self/mounts")
    lines = mounts.read_text("utf-8", "replace").splitlines() if mounts.exists() else []
    places = {Path(place): kind for _, place, kind, *_ in map(str.split, lines)}
    held = next(
        (place for place in (folder.resolve(), *folder.resolve().parents) if place in places), None
    )
    return f"its file system ({places[held]})" if held else "its file system"


def _lock_path(store: Store) -> Path:
    if isinstance(store.folder, Path):
        store.folder.mkdir(parents=True, exist_ok=True)
        return store.folder / ".lock"
    # Nothing can be held in a bucket: runs of the same user on this machine exclude each other.
    folder = platformdirs.user_cache_path("muscall", ensure_exists=True)
    return folder / f"{blake2b(store.folder.encode(), digest_size=8).hexdigest()}.lock"
