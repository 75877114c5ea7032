"""What a listener's sentence asks for, and what it asks to be without."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from muscall.models.muscall import MusCALL

_CLAUSES = re.compile(r"\s*(?:[,;]|\bbut\b)\s*", re.IGNORECASE)
_WITHOUT = re.compile(
    r"\b(?:without|minus|excluding|except(?:\s+for)?|no|not|non)\b[\s-]+(?:any\b\s*|the\b\s*|an?\b\s*)?",
    re.IGNORECASE,
)
_LISTED = re.compile(r"\s*\b(?:or|nor|and)\b\s*", re.IGNORECASE)
# "not too fast" asks for something between, and "no 1" is a number.
_NO_NEGATION = re.compile(r"\b(?:not\s+(?:too|so|only|very|just)|no\.?\s*\d)", re.IGNORECASE)

log = logging.getLogger("muscall")


class Wording(NamedTuple):
    """`wanted`: what the sound should be like; `avoided`: each thing it should be without."""

    wanted: str
    avoided: tuple[str, ...] = ()


def read_wording(sentence: str) -> Wording:
    """Split "dreamy synths, no drums or vocals" into "dreamy synths" and ("drums", "vocals").

    An encoder of sentences takes a negation for a mention. A sentence that would be nothing but
    negations is taken as it is: it may well be a title ("No Woman, No Cry").
    """
    wanted: list[str] = []
    avoided: list[str] = []
    for clause in filter(None, _CLAUSES.split(sentence.strip())):
        found = None if _NO_NEGATION.search(clause) else _WITHOUT.search(clause)
        if found is None:
            wanted.append(clause)
            continue
        if before := clause[: found.start()].strip().removesuffix(" and").removesuffix(" with"):
            wanted.append(before)
        # "no drums and no bass" negates again what follows.
        for thing in _LISTED.split(_WITHOUT.sub("", clause[found.end() :])):
            if thing.strip():
                avoided.append(thing.strip())
    if not wanted:
        return Wording(sentence.strip())
    return Wording(", ".join(wanted), tuple(dict.fromkeys(avoided)))


def warn_if_long(model: MusCALL, sentence: str) -> None:
    """Say in the log that `model` cannot read `sentence` to its end, if that is so."""
    tokenizer = model.text.tokenizer
    if tokenizer is not None and tokenizer.encode(sentence).overflowing:
        log.warning("the query is longer than the model can read, its end does not count")
