"""A person's music files: embedded, searched, written out."""

import importlib.util
import sys
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """A package whose own code runs when something is asked of it that it does not have yet."""

    def __getattr__(self, name: str) -> Any:
        self.__class__ = ModuleType  # type: ignore[assignment]
        assert self.__spec__ is not None
        assert self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


# LanceDB imports a client of servers, of which it needs the models alone. The code of its package
# imports the rest too: half of the time that importing LanceDB takes.
_CLIENT = "lance_namespace_urllib3_client"
if _CLIENT not in sys.modules and (_spec := importlib.util.find_spec(_CLIENT)) is not None:
    sys.modules[_CLIENT] = importlib.util.module_from_spec(_spec)
    sys.modules[_CLIENT].__class__ = _Later
