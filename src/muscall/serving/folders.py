"""The folders of this machine that a listener may have indexed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from muscall.errors import MuscallError, one_line


class Folders:
    """What is named in the page, as a folder; `below` are those that may be looked into."""

    def __init__(self, below: Sequence[Path]) -> None:
        self.below = [Path(os.path.realpath(folder)) for folder in below]

    def find(self, name: str) -> Path:
        """The folder of a name, with its whole path; "~" is the home of who serves.

        Raises:
            MuscallError: there is none, or it may not be looked into.
        """
        name = name.strip()
        if not name:
            raise MuscallError("name a folder of music, such as ~/Music")
        try:
            path = Path(os.path.normpath(Path(name).expanduser()))
            if not path.is_absolute():
                raise MuscallError(f"{name}: name it from its beginning: ~/{name} or /{name}")
            if not self._is_below(path):
                roots = " or ".join(map(one_line, self.below))
                raise MuscallError(f"{name}: this server serves what is below {roots} alone")
            if not path.exists():
                raise MuscallError(f"{name}: no such folder on the machine that serves")
            if not path.is_dir():
                raise MuscallError(f"{name}: is a file: name the folder that it is in")
            if not os.access(path, os.R_OK | os.X_OK):
                raise MuscallError(f"{name}: may not be read by who serves this page")
        except (OSError, RuntimeError, ValueError) as error:
            raise MuscallError(f"{one_line(name)}: no such folder") from error
        return path

    def inside(self, folder: Path) -> list[Path]:
        """The folders in one that `find` gave, by name, hidden ones left out."""
        try:
            there = [one for one in folder.iterdir() if one.name[0] != "." and _is_folder(one)]
        except OSError:
            return []
        return sorted(filter(self._is_below, there), key=lambda path: path.name.casefold())

    def start(self) -> Path:
        """Where to begin to look: the music of who serves, or their home, or what may be seen."""
        home = Path.home()
        usual = [home / "Music", home, *self.below]
        return next(
            (one for one in usual if _is_folder(one) and self._is_below(one)), self.below[0]
        )

    def above(self, folder: Path) -> Path | None:
        """The folder around one; None where that may not be looked into."""
        around = folder.parent
        return around if around != folder and self._is_below(around) else None

    def _is_below(self, path: Path) -> bool:
        real = Path(os.path.realpath(path))
        return any(real.is_relative_to(one) for one in self.below)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # one that cannot be looked at, as on a mount that is gone, hides no other
        return False
