"""What a listener sets in the panel of filters, as a filter of the library."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

LENGTHS = {
    "": "Any length",
    "duration < 120": "Under 2 minutes",
    "duration >= 120 and duration < 300": "2 to 5 minutes",
    "duration >= 300 and duration < 600": "5 to 10 minutes",
    "duration >= 600": "Over 10 minutes",
}
"""Conditions on `duration`, and how a listener says them."""


@dataclass
class Conditions:
    """The panel's fields; None and "" let everything pass."""

    year_from: float | None = None
    year_to: float | None = None
    bpm_from: float | None = None
    bpm_to: float | None = None
    genre: str = ""
    artist: str = ""
    length: str = ""
    """A key of LENGTHS."""

    def take(self, given: Mapping[str, str]) -> None:
        """Set all fields from what `told` returned; what cannot be read lets everything pass."""
        for field in fields(self):
            text = given.get(field.name, "")
            setattr(self, field.name, text[:100] if field.default == "" else _read(text))
        if self.length not in LENGTHS:
            self.length = ""

    def told(self) -> dict[str, str]:
        """The fields that are set, as texts for an address."""
        told = {name: value for name, value in asdict(self).items() if value not in (None, "")}
        return {
            name: value.strip() if isinstance(value, str) else str(_number(value))
            for name, value in told.items()
        }

    def put_in_order(self) -> None:
        """Turn ranges round that end before they begin."""
        self.year_from, self.year_to = _in_order(self.year_from, self.year_to)
        self.bpm_from, self.bpm_to = _in_order(self.bpm_from, self.bpm_to)

    def where(self) -> str:
        """A filter as `muscall.library.search.filters.parse_filter` reads it; "" for none."""
        told = [
            *_between("year", self.year_from, self.year_to),
            *_between("bpm", self.bpm_from, self.bpm_to),
            *_containing("genre", self.genre),
            *_containing("artist", self.artist),
        ]
        return " and ".join(told + [self.length] * bool(self.length))

    def count(self) -> int:
        """How many of year, bpm, genre, artist and length are set."""
        years, tempi = (self.year_from, self.year_to), (self.bpm_from, self.bpm_to)
        ranges = (any(bound is not None for bound in bounds) for bounds in (years, tempi))
        texts = (bool(text.strip()) for text in (self.genre, self.artist, self.length))
        return sum((*ranges, *texts))


def _between(name: str, least: float | None, most: float | None) -> list[str]:
    least, most = _in_order(least, most)
    bounds = ((">=", least), ("<=", most))
    return [f"{name} {sign} {_number(bound)}" for sign, bound in bounds if bound is not None]


def _in_order(least: float | None, most: float | None) -> tuple[float | None, float | None]:
    if least is not None and most is not None and most < least:
        return most, least
    return least, most


def _read(text: str) -> float | None:
    return int(text) if re.fullmatch(r"[0-9]{1,5}", text) else None


def _number(bound: float) -> int:
    return round(max(0.0, min(bound, 99_999.0)))


def _containing(name: str, text: str) -> list[str]:
    text = text.strip()[:100]
    # A text of the grammar is in either kind of quotes and cannot hold that kind.
    quote = "'" if '"' in text else '"'
    text = text.replace("'", "") if quote == "'" else text
    return [f"{name} ~ {quote}{text}{quote}"] if text else []
