"""Captions: what is known of a clip, put into sentences that vary as people's do.

`grooves` writes them from an author's words and a MIDI file, `notes` from a form or genre and a
MIDI file, `tags` from a tagger's probabilities. `facts` has the words for measured facts, `authors`
cleans what authors wrote, `claims` checks a phrase against the facts. All use what is here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence


def article(phrase: str) -> str:
    """The phrase with "a" or "an" before it."""
    vowel = re.match(r"(?:[aeio]|up|un|8|R&B)", phrase, re.IGNORECASE) and not re.match(
        r"(?:one|euro|uni)", phrase, re.IGNORECASE
    )
    return f"{'an' if vowel else 'a'} {phrase}"


def once(text: str) -> str:
    """`text` with no word twice in a row: a genre and a subject may share one."""
    return re.sub(r"\b(\w+) \1\b", r"\1", text)


def join(parts: Sequence[str]) -> str:
    """Parts as a listener lists them: "a, b and c"; an empty text for none."""
    *others, last = parts or [""]
    return f"{', '.join(others)} and {last}" if others else last


def draw(
    kinds: Sequence[str], write: Callable[[str], str], rng: random.Random
) -> tuple[list[str], list[str]]:
    """A caption of each kind and, beside each, its kind; in random order, no two alike.

    `write` gives a caption of a kind, or an empty text where the facts do not bear its form out.
    Where a caption is there already, one of the kind "facts" stands in.
    """
    texts: list[str] = []
    drawn: list[str] = []
    for kind in kinds:
        text = write(kind)
        while not text or text.lower() in {t.lower().rstrip(".") for t in texts}:
            kind = "facts"
            text = write(kind)
        if rng.random() < 0.6:
            text = text[0].upper() + text[1:]
        texts.append(text + ("." if rng.random() < 0.2 else ""))
        drawn.append(kind)
    order = rng.sample(range(len(texts)), len(texts))
    return [texts[i] for i in order], [drawn[i] for i in order]
