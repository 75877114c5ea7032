"""Small files in the folder of a library that hold what people made, not what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from filelock import FileLock
from pydantic import BaseModel, ValidationError

from muscall.errors import MuscallError
from muscall.writing import written_aside

Content = TypeVar("Content", bound=BaseModel)


class KeptFile(Generic[Content]):
    """The file `name` in the `folder` of a library, with one object of a `kind` as JSON.

    The kind forbids what it does not know: it would be lost when the file is written. Safe to use
    from several threads and processes.
    """

    def __init__(self, folder: str | Path, name: str, kind: type[Content]) -> None:
        self._folder, self._name, self._kind = folder, name, kind

    def read(self) -> Content:
        """What is kept; nothing where there is no file yet.

        Raises:
            MuscallError: the file cannot be read.
        """
        if not isinstance(self._folder, Path):
            return self._kind()
        path = self._folder / self._name
        try:
            return self._kind.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return self._kind()
        except OSError as error:
            raise MuscallError(f"{path}: cannot be read: {error.strerror}") from error
        except ValidationError as error:
            raise MuscallError(
                f"{path}: damaged, or of a later version: {error.errors()[0]['msg']}; "
                "put back a copy of it, or move it away to begin anew"
            ) from error

    @contextmanager
    def changed(self) -> Iterator[Content]:
        """What is kept, to be changed; it is written at the end, as a whole or not at all.

        Raises:
            MuscallError: the file cannot be read or written.
        """
        if not isinstance(self._folder, Path):
            raise MuscallError(f"{self._folder}: playlists are kept with libraries on a disk only")
        path = self._folder / self._name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self._folder / f".{self._name}.lock"):
                content = self.read()
                yield content
                with written_aside(path) as file:
                    file.write(content.model_dump_json(indent=1).encode())
        except OSError as error:
            raise MuscallError(f"{path}: cannot be written: {error.strerror}") from error
