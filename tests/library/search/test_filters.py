"""Filters: parsed, never passed through, and meaning what Python would take them to mean."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import lancedb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muscall.library.names import folded
from muscall.library.search.filters import (
    NUMBERS,
    SEVERAL,
    TEXTS,
    FilterError,
    all_of,
    parse_filter,
)

ROWS: list[dict[str, Any]] = [
    {"title": "Cello Suite", "artist": "J. S. Bach",
     "composer": "J. S. Bach; Brahms", "album": "Suites", "genre": "Baroque",
     "path": "/m/1.flac", "year": 1720, "bpm": 66.5, "duration": 150.0,
     "tempo": 133.0, "musical_key": "Eb minor", "loudness": -23.5},
    {"title": "O'Brien's", "artist": "The 100% Band", "album": "", "genre": "Irish; Folk",
     "path": "/m/2.flac", "year": 1998, "bpm": 120.0, "duration": 200.5},
    {"title": "Dub_1", "artist": "ÉLAN", "album": "Deep", "genre": "Dub", "path": "/m/3.mp3",
     "year": 2004, "bpm": None, "duration": 300.0, "tempo": 140.0, "musical_key": "A minor",
     "loudness": -8.0},
    {"title": "Untagged", "artist": None, "album": None, "genre": None, "path": "/m/4.wav",
     "year": None, "bpm": None, "duration": 10.0},
]  # fmt: skip
SCHEMA = pa.schema(
    [*((name, pa.string()) for name in (*TEXTS, "musical_key") if name != "key"),
     ("year", pa.int32()), *((name, pa.float32()) for name in (*NUMBERS[1:], "tempo"))]
)  # fmt: skip
Find = Callable[[str], list[int]]


@pytest.fixture(scope="module")
def find(tmp_path_factory: pytest.TempPathFactory) -> Find:
    """Places in ROWS of those that fit a filter."""
    store = lancedb.connect(tmp_path_factory.mktemp("store"))
    table = store.create_table("tracks", pa.Table.from_pylist(ROWS, SCHEMA))

    def find(text: str) -> list[int]:
        found = table.search().where(parse_filter(text)).limit(100).to_list()
        return sorted(int(row["path"][3]) - 1 for row in found)

    return find


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("year > 1990", [1, 2]),
        ("year > 1990 and bpm < 130", [1]),
        ("year<=1720 or duration = 300", [0, 2]),
        ("genre = dub", [2]),
        ('genre ~ "FOLK"', [1]),
        ("artist ~ bach", [0]),
        ("not artist ~ bach", [1, 2, 3]),
        ("artist != 'j. s. bach'", [1, 2, 3]),
        ("artist = élan", [2]),
        ("artist ~ '100%'", [1]),
        ("title ~ 'b_1'", [2]),
        ('title ~ "O\'Brien"', [1]),
        ("genre in (dub, Baroque)", [0, 2]),
        ("year in (1998, 2004) AND NOT genre ~ dub", [1]),
        ("not (year > 0)", [3]),
        ("year < 1998.5 and year > -99999999999", [0, 1]),
        ("bpm < 99999999999.5 and bpm >= 66.5", [0, 1, 2]),
        ("bpm == 66.5", [0]),
        ("(year < 1900 or year > 2000) and (duration > 200 or genre ~ bar)", [0, 2]),
        ("path ~ '.mp3'", [2]),
        ("artist = elan", [2]),
        ("artist = 'E\u0301LAN'", [2]),  # the accent as a character of its own
        ("genre = folk", [1]),
        ("genre in (Irish, dub)", [1, 2]),
        ("genre != irish", [0, 2, 3]),
        ("composer = brahms", [0]),
        ("bpm > 125", [2]),  # measured, where the file says none
        ("key = 'D# Minor'", [0]),
        ("key ~ minor and not key = 'a minor'", [0]),
        ("loudness < -10", [0]),
    ],
)
def test_fits_what_a_listener_means(find: Find, text: str, fits: list[int]) -> None:
    assert find(text) == fits


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "at its end"),
        ("year >", "at its end"),
        ("year >> 1990", "at 7"),
        ("yeer > 1990", "did you mean year"),
        ("danceability > 3", "there is no danceability: title"),
        ("year > 'x'", "year is a number"),
        ("year > nineteen", "year is a number"),
        ("bpm ~ 1", "bpm is a number"),
        ("title > 3", "title is a text"),
        ("title = 'open", "not understood"),
        ("1 = 1", "not understood"),
        ("year > 1; drop table tracks", "not understood"),
        ("title = 'a' -- comment", "not understood"),
        ("year < 1" + 40 * "0", "not understood"),
        ("(" * 900 + "year > 1", "not understood|brackets"),
        ("year > 1 or " * 300, "longer than"),
    ],
)
def test_what_is_no_filter_is_one_line(text: str, says: str) -> None:
    with pytest.raises(FilterError, match=says) as caught:
        parse_filter(text)
    assert "\n" not in str(caught.value)


def test_values_stay_values(find: Find) -> None:
    for attack in ("x' OR '1'='1", "x') OR (year > 0", "'; DELETE", "\\' OR 1=1 --", "\0"):
        quote = '"' if "'" in attack else "'"
        assert find(f"title = {quote}{attack}{quote}") == []
        assert find(f"title != {quote}{attack}{quote}") == [0, 1, 2, 3]


comparisons = st.one_of(
    st.tuples(
        st.sampled_from(NUMBERS),
        st.sampled_from(["<", "<=", ">", ">=", "=", "!="]),
        st.sampled_from([10, 66.5, 150, 1720, 1998, 2004]),
    ),
    st.tuples(
        st.sampled_from(TEXTS),
        st.sampled_from(["=", "!=", "~"]),
        st.sampled_from(["dub", "Folk", "bach", "", "m/"]),
    ),
)
filters = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or"]), inner, inner),
    ),
    max_leaves=6,
)


def written(tree: Any) -> str:
    if tree[0] == "not":
        return f"not ({written(tree[1])})"
    if tree[0] in ("and", "or"):
        return f"({written(tree[1])}) {tree[0]} ({written(tree[2])})"
    name, sign, value = tree
    return f"{name} {sign} " + (f"'{value}'" if isinstance(value, str) else str(value))


def fits(tree: Any, row: dict[str, Any]) -> bool:
    if tree[0] == "not":
        return not fits(tree[1], row)
    if tree[0] in ("and", "or"):
        both = (fits(tree[1], row), fits(tree[2], row))
        return all(both) if tree[0] == "and" else any(both)
    name, sign, value = tree
    stored = {"key": "musical_key", "bpm": "bpm" if row["bpm"] else "tempo"}
    own = row.get(stored.get(name, name))
    if own is None:
        return bool(sign == "!=")
    if isinstance(value, str):
        own, value = folded(own), folded(value)
        if sign in ("=", "!=") and name in SEVERAL and value:
            return (value in own.split("; ")) is (sign == "=")
    return bool(
        {
            "<": lambda: own < value, "<=": lambda: own <= value, ">": lambda: own > value,
            ">=": lambda: own >= value, "=": lambda: own == value, "!=": lambda: own != value,
            "~": lambda: value in own,
        }[sign]()
    )  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(filters)
def test_means_what_python_would(find: Find, tree: Any) -> None:
    assert find(written(tree)) == [n for n, row in enumerate(ROWS) if fits(tree, row)]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_an_error(text: str) -> None:
    with contextlib.suppress(FilterError):
        assert parse_filter(text)


def test_of_several_filters_all_hold(find: Find) -> None:
    assert find(all_of(["year > 1900", "artist ~ bach or artist ~ band"])) == [1]
    assert all_of(["year > 1900", " ", ""]) == "year > 1900"
    assert all_of([" "]) == all_of([]) == ""
    for wrong in (["year > 1900", "yeer > 1"], ["year > 1900) or (year < 1", "year > 1"]):
        with pytest.raises(FilterError):
            all_of(wrong)
