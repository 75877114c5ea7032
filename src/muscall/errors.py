"""What can go wrong for a user. Every message is one line and names the file or setting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from muscall.audio.inside import Sound


def one_line(text: object) -> str:
    r"""`text` with line breaks and unprintable characters escaped, so that a name fits on a line.

    Bytes of a file name that are not UTF-8, in Python lone surrogates, become `\xff`.
    """
    return "".join(
        character if character.isprintable() else _escaped(character) for character in str(text)
    )


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


class MuscallError(Exception):
    """Base of all errors that a command prints as one line, without a traceback."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class AudioError(MuscallError):
    """A file that cannot be decoded; carries `path` and `reason`."""

    def __init__(self, path: str | Sound, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = Path(path) if isinstance(path, str) else path
        self.reason = one_line(reason)

    def __reduce__(self) -> tuple[type[AudioError], tuple[Sound, str]]:
        return (AudioError, (self.path, self.reason))


class ManifestError(MuscallError):
    """A manifest that cannot be used; `problems` names each unusable row and its line."""

    def __init__(self, path: str | Path, problems: Sequence[str]) -> None:
        self.path = Path(path)
        self.problems = [one_line(problem) for problem in problems]
        first, *others = self.problems
        if others:
            super().__init__(f"{path}: {len(problems)} unusable rows, the first: {first}")
        else:
            super().__init__(first)

    def __reduce__(self) -> tuple[type[ManifestError], tuple[Path, list[str]]]:
        return (ManifestError, (self.path, self.problems))


class NotFound(MuscallError):
    """A track, an upload or a file that is not there."""


class ConfigError(MuscallError):
    """An unknown or ill-typed setting."""


class CheckpointError(MuscallError):
    """A checkpoint folder that cannot be read or written."""


class MissingExtra(MuscallError, ImportError):
    """A part of muscall whose requirements are not installed; the message names the command."""


@contextmanager
def needs(extra: str, what: str) -> Iterator[None]:
    """Import what an extra of the package brings; `what` is the part of muscall that needs it.

    >>> with needs("library", "muscall.Library"):
    ...     import lancedb

    Raises:
        MissingExtra: a module that is imported inside is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        command = f'pip install "muscall[{extra}]"'
        raise MissingExtra(f"{what} needs {command}: no module {error.name}") from None
