"""Packages of Debian and PyPI, fetched and unpacked without being installed.

What the final evaluation or the development set is made of is refused by name, here and nowhere
else: no part of the corpus can get at it by mistake.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path

import yaml

from muscall.processes import run

_HERE = Path(__file__).parent


class PackageError(Exception):
    """A package that cannot be had, in one line."""


class ReservedError(ValueError):
    """A package that the corpus must not touch."""


@dataclass(frozen=True)
class Package:
    """A fetched package; `registry` is "debian" or "pypi", `root` its unpacked tree."""

    name: str
    version: str
    registry: str
    root: Path


@once
def reserved() -> frozenset[str]:
    """The packages kept for the final evaluation, from `reserved.txt`."""
    return frozenset((_HERE / "reserved.txt").read_text().split())


@once
def development() -> frozenset[str]:
    """The packages of the development set and their siblings, from `dev/tracks.yaml`."""
    table = yaml.safe_load((_HERE / "dev" / "tracks.yaml").read_text())["packages"]
    return frozenset(table) | {kin for entry in table.values() for kin in entry.get("kin", ())}


def debian(name: str, cache: Path, *, for_development: bool = False) -> Package:
    """A Debian package, downloaded into `cache` unless it is there.

    `for_development` lets the packages of the development set through, and only them.

    Raises:
        ReservedError: the corpus must not use this package.
        PackageError: it cannot be downloaded or unpacked.
    """
    _refuse(name, for_development)

    def fetch(folder: Path, root: Path) -> str:
        _run(["apt-get", "download", "-qq", name], folder)
        deb = next(folder.glob("*.deb"))
        _run(["dpkg-deb", "-x", str(deb), str(root)], folder)
        return _run(["dpkg-deb", "-f", str(deb), "Version"], folder)

    return _fetched(name, "*", "debian", cache, fetch)


def pypi(name: str, cache: Path, version: str | None = None) -> Package:
    """A PyPI package without its dependencies, downloaded into `cache` unless it is there.

    Raises:
        ReservedError, PackageError: as `debian`.
    """
    name = _plain(name)
    _refuse(name, False)

    def fetch(folder: Path, root: Path) -> str:
        wanted = name if version is None else f"{name}=={version}"
        quiet = ["-q", "--disable-pip-version-check"]
        _run([sys.executable, "-m", "pip", "download", *quiet, "--no-deps", wanted], folder)
        archive = next(path for path in folder.iterdir() if path.is_file())
        shutil.unpack_archive(archive, root, "zip" if archive.suffix == ".whl" else None)
        stem = re.sub(r"\.(tar\.\w+|zip)$", "", archive.name)
        # A wheel is name-version-tags, its name without dashes; a source archive name-version.
        return stem.split("-")[1] if archive.suffix == ".whl" else stem.rpartition("-")[2]

    return _fetched(name, version or "*", "pypi", cache, fetch)


def _plain(name: str) -> str:
    """A name as PyPI compares it; a name in another spelling is still the same package."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _refuse(name: str, for_development: bool) -> None:
    if _plain(name) in map(_plain, reserved()):
        raise ReservedError(f"{name}: reserved for the final evaluation")
    if (_plain(name) in map(_plain, development())) != for_development:
        is_not = "is not part" if for_development else "is part"
        raise ReservedError(f"{name}: {is_not} of the development set")


def _fetched(
    name: str, version: str, registry: str, cache: Path, fetch: Callable[[Path, Path], str]
) -> Package:
    """The package from `cache`, else from `fetch`, which unpacks it and returns its version."""
    shelf = cache.resolve() / registry
    shelf.mkdir(parents=True, exist_ok=True)
    root = max(shelf.glob(f"{name}_{version}"), default=None)
    if root is None:
        # Unpacked beside its place and then moved, so that no half of a package is ever used.
        with tempfile.TemporaryDirectory(dir=shelf, prefix=".") as folder:
            whole = Path(folder) / "root"
            try:
                root = shelf / f"{name}_{fetch(Path(folder), whole)}"
            except (shutil.ReadError, StopIteration) as error:
                raise PackageError(f"{name}: nothing that can be unpacked") from error
            whole.rename(root)
    return Package(name, root.name.removeprefix(f"{name}_"), registry, root)


def _run(command: Sequence[str], folder: Path) -> str:
    try:
        done = run(command, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise PackageError(f"{command[0]}: not installed") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["failed"]
        raise PackageError(f"{' '.join(command)}: {said[-1]}")
    return done.stdout.strip()
