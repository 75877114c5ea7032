"""Filters over what is known of tracks: `year > 1990 and (bpm < 100 or genre ~ "dub")`.

They are parsed, and written anew as SQL for the store out of known columns and quoted values alone:
nothing that a person or a stranger types reaches the store as it is.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError

from muscall.errors import MuscallError
from muscall.library.names import folded, sql_folded

TEXTS = ("title", "artist", "albumartist", "composer", "album", "genre", "path", "key")
SEVERAL = ("artist", "albumartist", "composer", "genre")  # with "; " between
NUMBERS = ("year", "bpm", "duration", "loudness", "rating")

_STORED = {"bpm": "coalesce(bpm, tempo)", "key": "musical_key"}
_ENHARMONIC = {"db": "c#", "d#": "eb", "gb": "f#", "g#": "ab", "a#": "bb"}

_GRAMMAR = r"""
    ?start: or
    ?or: and ("or"i and)*
    ?and: not ("and"i not)*
    ?not: "not"i not -> negation
        | "(" or ")"
        | comparison
    comparison: NAME OPERATOR value
              | NAME "in"i "(" value ("," value)* ")" -> membership
    ?value: NUMBER | STRING | NAME

    OPERATOR: "<=" | ">=" | "!=" | "==" | "=" | "<" | ">" | "~"
    NAME: /(?!(?:and|or|not|in)\b)[^\W\d][\w-]*/i
    NUMBER: /-?\d{1,15}(\.\d{1,15})?/
    STRING: /"[^"]*"|'[^']*'/
    %ignore /\s+/
"""
_HINT = 'write as in: year > 1990 and genre ~ "jazz"'
_DEEP = 2000  # characters; who needs more is no listener


class FilterError(MuscallError):
    """A filter that cannot be understood."""


def parse_filter(text: str) -> str:
    """SQL for the store that means `text`.

    Columns are TEXTS and NUMBERS; `duration` in seconds, `loudness` in LUFS, `rating`
    in stars, `key` as "Eb minor"; `bpm` is the file's own, or measured where it says none. Texts
    compare without regard to case or accents, by `=`, `!=`, `~` (contains) and `in (...)`, and of
    several artists, composers or genres one is enough; numbers by `<` and its kin too;
    `and`, `or`, `not` and brackets as usual. A track of which a value is not known fits no
    comparison of that value, and so fits its negation by `not` or `!=`.

    Raises:
        FilterError: one line saying what is not understood, and where.
    """
    if len(text) > _DEEP:
        raise FilterError(f"filter: longer than {_DEEP} characters")
    try:
        sql: str = _Sql().transform(_PARSER.parse(text))
    except UnexpectedInput as error:
        ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        place = "at its end" if ended else f"at {error.column}"
        raise FilterError(f"filter: {text}: not understood {place}; {_HINT}") from None
    except VisitError as error:
        if isinstance(error.orig_exc, FilterError):
            raise FilterError(f"filter: {error.orig_exc}; {_HINT}") from None
        raise
    except RecursionError:
        raise FilterError("filter: too many brackets") from None
    return sql


def all_of(filters: Sequence[str]) -> str:
    """One filter that holds where each of `filters` does; of these, blank ones always hold.

    Raises:
        FilterError: one of them cannot be understood.
    """
    said = [text for text in filters if text.strip()]
    for text in said:
        parse_filter(text)
    return " and ".join(f"({text})" for text in said) if len(said) > 1 else "".join(said)


@v_args(inline=True)
class _Sql(Transformer[Token, str]):
    def comparison(self, name: Token, operator: Token, value: Token) -> str:
        column = _column(name)
        sign = {"==": "="}.get(operator, str(operator))
        if sign == "!=":
            return f"(NOT {_known(column, _is(column, value))})"
        if sign == "~":
            if column in NUMBERS:
                raise FilterError(f"{column} is a number and contains nothing")
            return _known(column, f"contains({_left(column)}, {_right(column, value)})")
        if sign != "=" and column in TEXTS:
            raise FilterError(f"{column} is a text; compare it by =, !=, ~ or in")
        if sign == "=":
            return _known(column, _is(column, value))
        return _known(column, f"{_left(column)} {sign} {_right(column, value)}")

    def membership(self, name: Token, *values: Token) -> str:
        column = _column(name)
        return _known(column, f"({' OR '.join(_is(column, value) for value in values)})")

    def negation(self, inner: str) -> str:
        return f"(NOT {inner})"

    def __default__(self, data: Any, children: list[str], meta: Any) -> str:
        return "(" + f" {str(data).upper()} ".join(children) + ")"


def _column(name: Token) -> str:
    column = name.lower()
    if column not in TEXTS + NUMBERS:
        near = difflib.get_close_matches(column, TEXTS + NUMBERS, n=1)
        hint = f", did you mean {near[0]}?" if near else f": {', '.join(TEXTS + NUMBERS)}"
        raise FilterError(f"there is no {name}{hint}")
    return column


def _known(column: str, condition: str) -> str:
    # SQL answers null for what is null, and NOT of null is null again.
    return f"({_STORED.get(column, column)} IS NOT NULL AND {condition})"


def _is(column: str, value: Token) -> str:
    """Of several values, one is enough."""
    left, right = _left(column), _right(column, value)
    if column in SEVERAL and right != "''":
        return f"contains('; ' || {left} || '; ', '; ' || {right} || '; ')"
    return f"{left} = {right}"


def _left(column: str) -> str:
    # The store refuses to compare its integers with a fraction, or with what is out of their range.
    stored = _STORED.get(column, column)
    return sql_folded(stored) if column in TEXTS else f"CAST({stored} AS DOUBLE)"


def _right(column: str, value: Token) -> str:
    if column in NUMBERS:
        if value.type != "NUMBER":
            raise FilterError(f"{column} is a number, {value} is none")
        return str(float(value))
    text = folded(value[1:-1] if value.type == "STRING" else str(value))
    if column == "key":
        tonic, space, mode = text.partition(" ")
        text = _ENHARMONIC.get(tonic, tonic) + space + mode
    quoted = text.replace("'", "''").replace("\0", "")
    return f"'{quoted}'"


_PARSER = Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False)
