"""One thing where several may be given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def several(given: Any) -> list[Any]:
    """What was given as a list; one thing by itself, as a path, is the only one in it.

    So is a string, which nobody gives for its letters.
    """
    one = isinstance(given, str) or not isinstance(given, Iterable)
    return [given] if one else list(given)
