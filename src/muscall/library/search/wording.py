"""What a listener's sentence asks for, and what it asks to be without."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from muscall.models.reader import Reader

NEGATION = r"\b(?:without|minus|excluding|except(?:\s+for)?|no|not|non)\b"

_CLAUSES = re.compile(r"\s*(?:[,;]|\bbut\b)\s*", re.IGNORECASE)
_WITHOUT = re.compile(NEGATION + r"[\s-]+(?:any\b\s*|the\b\s*|an?\b\s*)?", re.IGNORECASE)
_LISTED = re.compile(r"\s*\b(?:or|nor|and)\b\s*", re.IGNORECASE)
# "not too fast" asks for something between, "no 1" is a number, "no wave" and its kin are genres.
_NO_NEGATION = (
    r"not\s+(?:too|so|only|very|just)|no\.?\s*\d+|no[\s-]+(?:wave|input)|non[\s-]+(?:music|stop)"
)
_SEVERAL = re.compile("[;/]")
_BEHIND = re.compile(r"[(\[].*|\s-\s.*")  # what tags add to a name: "(Live)", "- Remastered 2012"
_HELD = 0x100000  # the first of sixty thousand characters that no text has

log = logging.getLogger("muscall")


class Wording(NamedTuple):
    """`wanted`: what the sound should be like; `avoided`: each thing it should be without."""

    wanted: str
    avoided: tuple[str, ...] = ()


def names_in(tags: Iterable[str]) -> set[str]:
    """The names in tags that a negation stands in, as `read_wording` wants them."""
    parts = (part for tag in tags for part in (tag, *_SEVERAL.split(tag)))
    names = (_spoken(name) for part in parts for name in (part, _BEHIND.sub("", part)))
    return {name for name in names if " " in name and re.search(NEGATION, name)}


def read_wording(sentence: str, names: Iterable[str] = ()) -> Wording:
    """Split "dreamy synths, no drums or vocals" into "dreamy synths" and ("drums", "vocals").

    An encoder of sentences takes a negation for a mention. A sentence that would be nothing but
    negations is taken as it is: it may well be a title ("No Woman, No Cry"). A negation in a name,
    or in what is known to be called so ("no wave"), is none.

    Args:
        names: of `names_in`.
    """
    said = f" {_spoken(sentence)} "
    called = sorted((name for name in names if f" {name} " in said), key=len, reverse=True)
    whole = "|".join([*(name.replace(" ", r"\W+") for name in called), _NO_NEGATION])
    held: dict[int, str] = {}

    def hold(found: re.Match[str]) -> str:
        place = _HELD + len(held)
        held[place] = found[0]
        return chr(place)

    sentence = re.sub(rf"\b(?:{whole})\b", hold, sentence.strip(), flags=re.IGNORECASE)
    wanted: list[str] = []
    avoided: list[str] = []
    for clause in filter(None, _CLAUSES.split(sentence)):
        found = _WITHOUT.search(clause)
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
        return Wording(sentence.translate(held))
    things = dict.fromkeys(thing.translate(held) for thing in avoided)
    return Wording(", ".join(wanted).translate(held), tuple(things))


def _spoken(text: str) -> str:
    """The words of a text in lower case, with a space between them."""
    return " ".join(re.findall(r"\w+", text.lower()))


def warn_if_long(model: Reader, sentence: str) -> None:
    """Say in the log that `model` cannot read `sentence` to its end, if that is so."""
    tokenizer = model.text.tokenizer
    if tokenizer is not None and tokenizer.encode(sentence).overflowing:
        log.warning("the query is longer than the model can read, its end does not count")


def is_plain(model: Reader, word: str) -> bool:
    """Whether `model` knows a word as a whole, and so as one of its language."""
    tokenizer = model.text.tokenizer
    if tokenizer is None:
        return False
    return sum(tokenizer.encode(word, add_special_tokens=False).attention_mask) == 1


@cache
def musical_words() -> frozenset[str]:
    """The words of the dictionary, which a tokenizer of English may take apart: "shoegaze"."""
    file = resources.files("muscall.library.search").joinpath("musical_words.txt")
    return frozenset(file.read_text("utf-8").split())
