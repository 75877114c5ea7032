"""What every part of the corpus does: it plans clips, renders them and writes their captions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]


def slug(text: str) -> str:
    """The text as part of a file name: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def take_seed(seed: int, name: str, take: int) -> int:
    """The seed of a clip's own, from the plan's: that of the `take`-th excerpt of a piece."""
    digest = hashlib.sha256(f"{seed}|{name}|{take}".encode()).digest()
    return int.from_bytes(digest[:6], "big")


class ClipError(Exception):
    """A clip that cannot be had, in one line."""


@dataclass(frozen=True)
class Clip:
    """One row to make. Picklable; everything random about it derives from `seed`.

    `id` names its files and is unique in the corpus. `group` is what must never be in two splits:
    the kin of a style file, a piece, a game, a composer. `what` is the part's own.
    """

    id: str
    part: str
    group: str
    seed: int
    what: Any


def in_turns(clips: Iterable[Clip]) -> list[Clip]:
    """Every first take, in random order, before any second; `what` has a `take`."""
    return sorted(clips, key=lambda clip: (clip.what.take, clip.seed))


@dataclass(frozen=True)
class Take:
    """The sound of a clip, (frames, channels) or (frames,) float32 at `rate`, and its facts.

    `facts` are plain JSON: all that `describe` needs, also in a later run.
    """

    samples: Samples
    rate: int
    facts: dict[str, Any]


@dataclass(frozen=True)
class Words:
    """The text side of a row.

    `captions` and `kinds` are parallel; a kind says how its caption came about: `author`,
    `author+facts`, `facts`, `title`, `pseudo`.
    """

    captions: Sequence[str]
    kinds: Sequence[str]
    facts: dict[str, Any]
    source: dict[str, Any]
    licence: dict[str, str]
    words_from: str = field(default="")


class Part(Protocol):
    """One origin of clips. `synthetic` sound goes through the effects of `sound/realism.py`."""

    name: str
    synthetic: bool

    def plan(self, count: int, seed: int, cache: Path) -> list[Clip]:
        """About `count` clips, most different first; `cache` keeps fetched packages."""
        ...

    def render(self, clip: Clip) -> Take:
        """The clip's sound, 20 to 30 s; raises ClipError."""
        ...

    def describe(self, clip: Clip, facts: dict[str, Any]) -> Words:
        """The clip's words, from what `render` stored."""
        ...
