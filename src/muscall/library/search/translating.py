"""Sentences of other languages in English, by a lexicon of musical words.

There is no language model behind it: words and phrases are looked up, the longest first, and put
into English order. What the lexicon does not know, and names, stay as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from muscall.library.names import COMMON, folded
from muscall.library.search.lexicon import TOKENS, Entry, Lexicon, Words, lexicons
from muscall.library.search.wording import musical_words

_NOUN_FIRST = {"fr", "es", "it", "pt"}  # "guitarra tranquila"
_TELLING = 3  # words of a phrase that is foreign even if English has each of them
_NAMING = {"by", "from", "like", "of"}
_ARTICLES = {"the", "a"}
_PUNCTUATION = re.compile(r"[,;:.!?/&()\u3001\u3002\uff0c]|\s[-\u2013]\s")

# The dictionary has these in longer phrases ("guitarra portuguesa"). Alone they are not English.
_NOT_ALONE = frozenset(
    """
    apres aventura baile bajo balada bateria bombo brut caja cancion cantada cantautore
    cantautori cantina canto canzone carnaval chanteuse clavecin compas concierto coro cuatro
    cubano deutsch dolce dura eletrico epica espanol feria festa fete flamenca folclorico
    gaitas gesungen guitarra harte hongrois iglesias kleine lento lindo lune mio missa
    mittelalter moderato mystere nachtmusik napoletana notte pajaro palmas pandereta paseo
    portuguesa profundo recuerdos romantica schon som suave tambores tanz taverna tenore turca
    urbano vals valse variete vivace voix volkslied volkstumliche zampona
    """.split()  # noqa: SIM905
)


class _Token(NamedTuple):
    """A word of a sentence, folded, and where it stands."""

    word: str
    start: int
    end: int


class _Piece(NamedTuple):
    """Some words of a sentence in English; `sort` is "" where they stay as they are."""

    english: str
    sort: str
    words: Words
    start: int
    end: int


def translated(
    sentence: str,
    is_plain: Callable[[str], bool],
    names: Callable[[], Collection[Words]] = lambda: (),
) -> str | None:
    """A sentence in English, or None where it is English or of no known language.

    A word that English has too does not show the language: others must, and no fewer than the
    English ones.

    Args:
        is_plain: whether a word is one of English.
        names: the words of names, which stay as they are; asked for only where there is need.

    Example:
        >>> translated("música de piano triste, sin batería", lambda word: False)
        'sad piano music, without drums'
    """
    sentence = unicodedata.normalize("NFC", sentence)
    tokens = _tokens(sentence)
    words = tuple(token.word for token in tokens)
    alone = len(words) == 1 and words[0] in _NOT_ALONE
    possible = [lexicon for lexicon in lexicons() if _has_foreign_words(lexicon, words, alone)]
    if len(words) == 1 and sentence[tokens[0].start].isupper():
        # "Clara" is a name rather than a form of "claro".
        possible = [one for one in possible if one.language == "de" or words in one.entries]
    if not possible:
        return None
    known = set(names())
    if words in known or "".join(words) in {"".join(name) for name in known}:
        return None
    best, most = None, 0
    for lexicon in possible:
        pieces = _pieces(lexicon, tokens, sentence, known)
        read = [piece.words for piece in pieces if piece.sort not in ("", "name")]
        covered = [word for words in read for word in words]
        # "noche" is in the vocabulary of English too: it counts less than "tranquila".
        counted = [words for words in read if alone or _is_foreign(words)]
        foreign = sum(1 - 0.5 * all(map(is_plain, words)) for words in counted)
        strange = [piece.words[0] for piece in pieces if not piece.sort]
        english = sum(_is_english(word) or is_plain(word) for word in strange)
        if foreign and foreign >= english and len(covered) > most:
            best, most = (lexicon, pieces), len(covered)
    if best is None:
        return None
    lexicon, pieces = best
    clauses = _clauses(pieces, sentence)
    if lexicon.language in _NOUN_FIRST:
        clauses = [(_english_order(clause), sign) for clause, sign in clauses]
    if lexicon.language == "ja":
        clauses = _negations_last(clauses)
    said = "".join(f"{_joined(clause)}{sign} " for clause, sign in clauses if clause)
    return said.strip(" ,;") or None


def _is_english(word: str) -> bool:
    return word in musical_words() or word in COMMON or word.isdigit()


def _is_foreign(phrase: Words) -> bool:
    """Whether a phrase of a lexicon is none of English, as "de los 80" is not, word by word."""
    return len(phrase) >= _TELLING or not all(map(_is_english, phrase))


def _has_foreign_words(lexicon: Lexicon, words: Words, alone: bool) -> bool:
    """Whether a sentence has a word that is of this language and not of English; with `alone`,
    any word of this language counts.
    """
    found = [(n, lexicon.at(words, n)) for n in range(len(words))]
    return any(alone or _is_foreign(words[n : n + entry[0]]) for n, entry in found if entry)


def _tokens(text: str) -> list[_Token]:
    return [_Token(folded(m[0]), m.start(), m.end()) for m in TOKENS.finditer(text)]


def _pieces(
    lexicon: Lexicon, tokens: Sequence[_Token], sentence: str, names: Collection[Words]
) -> list[_Piece]:
    words = tuple(token.word for token in tokens)
    longest = max(map(len, names), default=0)
    pieces: list[_Piece] = []
    start = 0
    while start < len(words):
        naming = bool(pieces) and pieces[-1].english in _NAMING
        furthest = min(longest, len(words) - start)
        length = next(
            (
                n
                for n in range(furthest, 0 if naming else 1, -1)
                if words[start : start + n] in names
            ),
            0,
        )
        entry = Entry("", "name")
        if not length:
            length, entry = lexicon.at(words, start) or (1, Entry("", ""))
        first, last = tokens[start].start, tokens[start + length - 1].end
        english = sentence[first:last] if entry.sort in ("", "name") else entry.english
        pieces.append(_Piece(english, entry.sort, words[start : start + length], first, last))
        start += length
    return pieces


def _clauses(pieces: Sequence[_Piece], sentence: str) -> list[tuple[list[_Piece], str]]:
    """The pieces between signs of punctuation, each with the sign behind it."""
    clauses: list[tuple[list[_Piece], str]] = [([], "")]
    for before, piece in zip([None, *pieces], pieces, strict=False):
        gap = sentence[before.end if before else 0 : piece.start]
        if before and _PUNCTUATION.search(gap):
            clauses[-1] = clauses[-1][0], ","
            clauses.append(([], ""))
        clauses[-1][0].append(piece)
    return clauses


def _english_order(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Adjectives before their noun, and a noun before the one that it says more of."""
    phrases: list[list[_Piece]] = []
    rest = list(pieces)
    while rest:
        taken = _noun_phrase(rest)
        phrases.append(_turned(rest[:taken]) if taken else [rest[0]])
        rest = rest[taken or 1 :]
    # "música de guitarra": the last comes first, "guitar music".
    place = len(phrases) - 2
    while place > 0:
        if phrases[place][0].english == "of":
            after = phrases[place + 1]
            skip = after[0].english in _ARTICLES and place + 2 < len(phrases)
            noun = phrases[place + 2] if skip else after
            if noun[-1].sort == "nouns" and phrases[place - 1][-1].sort == "nouns":
                end = place + (3 if skip else 2)
                phrases[place - 1 : end] = [[*noun, *phrases[place - 1]]]
            elif after[0].sort in ("", "name"):
                phrases[place] = [phrases[place][0]._replace(english="by")]
        place -= 1
    return [piece for phrase in phrases for piece in phrase]


def _noun_phrase(pieces: Sequence[_Piece]) -> int:
    """How many pieces a noun and the adjectives behind it have; 0 where none begins here."""
    first = pieces[0]
    if first.sort == "adjectives":
        inner = _noun_phrase(pieces[1:]) if len(pieces) > 1 else 0
        return inner + 1 if inner else 0
    strange = not first.sort and not first.words[0].isdigit()
    if first.sort != "nouns" and not strange:
        return 0
    end = 1
    while end < len(pieces):
        step = 1 if pieces[end].english in ("very", "and") else 0
        if end + step < len(pieces) and pieces[end + step].sort == "adjectives":
            end += step + 1
        else:
            break
    return end if end > 1 or first.sort == "nouns" else 0


def _turned(phrase: list[_Piece]) -> list[_Piece]:
    """A noun and its adjectives in English order: the nearest to the noun stays the nearest."""
    noun = next(n for n, piece in enumerate(phrase) if piece.sort in ("nouns", ""))
    before, behind = phrase[:noun], phrase[noun + 1 :]
    if any(piece.english == "and" for piece in behind):
        return [*before, *behind, phrase[noun]]
    groups: list[list[_Piece]] = []
    for piece in behind:
        if groups and groups[-1][-1].english == "very":
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return [*before, *(piece for group in reversed(groups) for piece in group), phrase[noun]]


def _negations_last(
    clauses: list[tuple[list[_Piece], str]],
) -> list[tuple[list[_Piece], str]]:
    """Japanese says "drums without": what stands before it goes to the end, behind "without"."""
    kept: list[tuple[list[_Piece], str]] = []
    unwanted: list[tuple[list[_Piece], str]] = []
    for clause, sign in clauses:
        rest = list(clause)
        while ends := [n for n, piece in enumerate(rest) if piece.english == "without"]:
            end = ends[0]
            start = end
            while start > 0 and (
                rest[start - 1].sort == "nouns" or rest[start - 1].english == "and"
            ):
                start -= 1
            unwanted.append(([rest[end], *rest[start:end]], ","))
            rest = rest[:start] + rest[end + 1 :]
        kept.append((rest, sign if rest else ""))
    if unwanted and kept:
        kept = [(clause, sign or ",") for clause, sign in kept]
    return kept + unwanted


def _joined(pieces: Sequence[_Piece]) -> str:
    """The English of pieces; characters that are not known stay together."""
    said = ""
    for before, piece in zip([None, *pieces], pieces, strict=False):
        together = before and not (before.sort or piece.sort) and before.end == piece.start
        said += ("" if together else " ") + piece.english
    return " ".join(said.split())
