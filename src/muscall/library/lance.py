"""LanceDB, imported without the models of its client for servers, which take half of that time.

What those models are is looked up when one is first made.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_CLIENT = "lance_namespace_urllib3_client"


class _Later:
    """A class of the client that is imported when it is called."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def __call__(self, *args: Any, **options: Any) -> Any:
        return getattr(import_module(self._module), self._name)(*args, **options)


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> _Later:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Later(self.__name__, name)


class _StandIns(MetaPathFinder, Loader):
    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        inside = name.partition(".")[0] == _CLIENT
        return ModuleSpec(name, self, is_package=True) if inside else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing in it."""


@contextmanager
def _without_client() -> Iterator[None]:
    if _CLIENT in sys.modules:
        yield
        return
    stand_ins = _StandIns()
    sys.meta_path.insert(0, stand_ins)
    try:
        yield
    finally:
        sys.meta_path.remove(stand_ins)
        # Whoever else wants them gets the real ones.
        for name in list(sys.modules):
            if name.partition(".")[0] in (_CLIENT, "lance_namespace"):
                del sys.modules[name]


with _without_client():
    import lancedb as lancedb
    from lancedb.index import FTS as FTS
    from lancedb.index import BTree as BTree
    from lancedb.index import IvfSq as IvfSq
    from lancedb.query import LanceQueryBuilder as LanceQueryBuilder
    from lancedb.query import LanceVectorQueryBuilder as LanceVectorQueryBuilder
    from lancedb.query import MatchQuery as MatchQuery
    from lancedb.table import LanceTable as LanceTable
    from lancedb.table import Table as Table
