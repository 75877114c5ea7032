"""Contrastive audio-language learning for music: find music with a sentence."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from muscall.library.library import Library
    from muscall.models.muscall import MusCALL, load

__version__ = version("muscall")
__all__ = ["Library", "MusCALL", "__version__", "load"]


def __getattr__(name: str) -> Any:
    # `muscall --help` must answer without waiting for torch.
    if name in ("MusCALL", "load"):
        from muscall.models import muscall

        return getattr(muscall, name)
    if name == "Library":
        from muscall.errors import needs

        with needs("library", "muscall.Library"):
            from muscall.library.library import Library

        return Library
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
