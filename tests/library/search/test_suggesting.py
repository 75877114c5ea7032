"""What is suggested while somebody types."""

from __future__ import annotations

import numpy as np
import pytest

from muscall import MusCALL
from muscall.library.search.finder import Finder
from tests.library.search.test_finder import made, track, unit


@pytest.fixture(scope="module")
def finder(tiny_model: MusCALL, tmp_path_factory: pytest.TempPathFactory) -> Finder:
    songs = [
        ("Sigur Rós", "Takk", "Hoppípolla"),
        ("Sigur Rós", "Takk", "Sæglópur"),
        ("Silje Nergaard", "Takk for alt", "Be Still My Heart"),
        ("Nina Simone; Sia", "Pastel Blues", "Sinnerman"),
        ("فيروز", "", "夜曲"),
    ]
    vectors = [unit(np.random.default_rng(n).normal(size=tiny_model.config.dim)) for n in range(5)]
    tracks = [
        track(n, vector, [vector], artist=artist, album=album, title=title)
        for n, (vector, (artist, album, title)) in enumerate(zip(vectors, songs, strict=True))
    ]
    return made(tiny_model, tmp_path_factory.mktemp("suggesting"), tracks)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("sig", ["artist: Sigur Rós"]),
        ("SI", ["artist: Sigur Rós", "artist: Sia", "artist: Silje Nergaard"]),
        ("sigur ro", ["artist: Sigur Rós"]),
        ("ros", ["artist: Sigur Rós"]),
        ("takk", ["album: Takk", "album: Takk for alt"]),
        ("takk a", ["album: Takk for alt"]),
        ("hoppipo", ["title: Hoppípolla"]),
        ("simone", ["artist: Nina Simone"]),
        ("acoustic gui", ["label: acoustic guitar"]),
        ("فير", ["artist: فيروز"]),
        ("夜", ["title: 夜曲"]),
        ("it's", []),
        ("' OR 1 = 1", []),
        ("  ", []),
    ],
)
def test_names_and_labels_go_on_as_typed(finder: Finder, typed: str, first: list[str]) -> None:
    found = [f"{one.kind}: {one.text}" for one in finder.suggest(typed, 10)]
    assert found[: len(first)] == first
    assert found if first else not found


def test_so_many_as_asked_for_each_once(finder: Finder) -> None:
    found = finder.suggest("s", 5)
    assert len({one.text for one in found}) == 5
