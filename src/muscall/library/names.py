"""One way that names are compared: in full-text search, in what is asked for and in filters.

Case, accents and forms of a character make no difference: "Beyoncé" in either normal form is
"beyonce", "Straße" is "strasse". There is no stemming, and no word is left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise, product

from anyascii import anyascii

# Letters that Unicode does not take apart.
_LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i"}
_LIGATURES = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}
_MARKS = "".join(map(chr, [*range(0x300, 0x370), 0x3099, 0x309A]))  # accents that stand alone


def _table() -> dict[str, str]:
    """Each character that is folded to one other: accented from Latin to kana, and full-width."""
    accented = [*range(0xC0, 0x530), *range(0x1E00, 0x2000), *range(0x3040, 0x3100)]
    wide = [*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B)]
    bases = {chr(n): unicodedata.normalize("NFD", chr(n))[0].lower() for n in accented}
    plain = {chr(n): unicodedata.normalize("NFKC", chr(n)).lower() for n in wide}
    return _LETTERS | {one: base for one, base in bases.items() if base != one.lower()} | plain


_FOLDED = _table()
_TRANSLATION = str.maketrans(_FOLDED | _LIGATURES) | str.maketrans("", "", _MARKS)

_WORD = re.compile(r"[^\W_]+")
# Chinese, Japanese and Thai are written without spaces, Korean with few.
UNSPACED = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WRITTEN = re.compile(r"(?:[^\W_]|[\u0900-\u0dff])+")  # with the vowels that Indian letters bear
_RUNS = re.compile(f"([{UNSPACED}]+)|[^{UNSPACED}]+")
_ARTICLE = "ال"
_SYLLABLE = re.compile(r"[A-Z]?[^A-Z]+|[A-Z]")
# What letters of one sound become, whoever writes them in Latin: "Tchaikovsky", "Chaykovskiy".
_SOUNDS = [
    (re.compile(letters), sound)
    for letters, sound in (
        ("shch|schtsch", "s"),
        ("tsch|tch|cz", "k"),
        ("sch|sh|zh|ts|tz|[zx]", "s"),
        ("c(?=[eiy])", "s"),
        ("[kg]h|[cgq]", "k"),
        ("ph|[fv]", "v"),
        ("d", "t"),
        ("[pb]h?", "p"),
        ("[^skvtplmnrw]", ""),
        (r"(.)\1+", r"\1"),
    )
]
# What stands in sentences of every kind.
COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an the and or of for in on at to with by from like as is it its my me i some something "
        "any music song songs track tracks tune tunes sound sounds sounding piece playing",
    )
)


def folded(text: str) -> str:
    """A text without case, accents and other forms of its characters."""
    # No ASCII character is translated, and looking each up would take most of the time.
    return text.lower() if text.isascii() else text.lower().translate(_TRANSLATION)


def sql_folded(column: str) -> str:
    """SQL that gives what `folded` gives of a column."""
    others, plain = "".join(_FOLDED), "".join(_FOLDED.values())
    sql = f"translate(lower({column}), '{others}{_MARKS}', '{plain}')"
    for ligature, letters in _LIGATURES.items():
        sql = f"replace({sql}, '{ligature}', '{letters}')"
    return sql


def several_names(tag: str | None) -> list[str]:
    """The names that a column holds, as artists and genres are kept: with "; " between them."""
    return [name for name in (tag or "").split("; ") if name]


def words_of(texts: Iterable[str]) -> list[str]:
    """The words of texts, folded; what is written without spaces in pairs of its characters."""
    found: list[str] = []
    for text in texts:
        for word in _WORD.findall(folded(unicodedata.normalize("NFKC", text))):
            for run in _RUNS.finditer(word):
                found += _pairs(run[1]) if run[1] else [run[0]]
    return found


def _pairs(run: str) -> list[str]:
    return [run[n : n + 2] for n in range(max(1, len(run) - 1))]


def without_common(words: Sequence[str]) -> list[str]:
    """The words that may be names: without those of every sentence, or all where there are no
    others ("The The").
    """
    return [word for word in words if word not in COMMON] or [*words]


def placed_words(text: str) -> list[tuple[str, int, int]]:
    """The words of a text as it is written, folded, each with where it begins and ends."""
    normal = unicodedata.normalize("NFC", text)
    return [(folded(found[0]), found.start(), found.end()) for found in _WORD.finditer(normal)]


def spelt_words(text: str) -> tuple[str, ...]:
    """The words of `placed_words` without their places, in a quarter of the time."""
    return tuple(folded(" ".join(_WORD.findall(unicodedata.normalize("NFC", text)))).split())


def is_latin(word: str) -> bool:
    """Whether all letters of a word are Latin ones, or digits."""
    return word.isascii() or all(
        "LATIN" in unicodedata.name(letter, "") for letter in word if not letter.isascii()
    )


def romanised(texts: Iterable[str]) -> list[str]:
    """What the words of texts that are written in other scripts are in Latin letters.

    Each as it is spelt and as `sounds` says; of what is written without spaces every syllable too,
    and all but the first, which is a family name; of Arabic with its article and without.
    """
    found: dict[str, None] = {}
    for text in texts:
        words = _WRITTEN.findall(unicodedata.normalize("NFKC", text))
        for word, after in pairwise([*words, ""]):
            if is_latin(word):
                continue
            spelt = anyascii(word)
            parts = [spelt]
            if re.search(f"[{UNSPACED}]", word):
                syllables = _SYLLABLE.findall(spelt)
                parts += [*syllables, "".join(syllables[1:])]
            if word.startswith(_ARTICLE):
                parts += [anyascii(word.removeprefix(_ARTICLE)), "al"]
            if after.startswith(_ARTICLE):  # "Abdel"
                parts.append(f"{spelt}al")
            for part in parts:
                found |= dict.fromkeys(_WORD.findall(part.lower().replace("'", "")))
                found |= dict.fromkeys(sounds(part, 1))
    return [*found]


@lru_cache(maxsize=4096)
def sounds(word: str, least: int = 2) -> tuple[str, ...]:
    """What a word sounds like, its consonants alone, marked by "~"; nothing for fewer than `least`.

    There are more ways than one where it has a "w", which is a vowel in some scripts, a "th" or
    "dh", which others write as "s" and "z", or a "ch", as in "Bach" or as in French.

    Example:
        >>> sounds("Fairuz"), sounds("فيروز")
        (('~vrs',), ('~vrs', '~vrvs'))
    """
    plain = anyascii(folded(word)).lower()
    ways = []
    for w, th, ch in product(("", "v"), ("t", "s"), ("k", "s")):
        said = re.sub("(?<![st])ch", ch, re.sub("[td]h", th, plain.replace("w", w)))
        for letters, sound in _SOUNDS:
            said = letters.sub(sound, said)
        ways.append(f"~{said}" if len(said) >= least else "")
    return tuple(way for way in dict.fromkeys(ways) if way)
