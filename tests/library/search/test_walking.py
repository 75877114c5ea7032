"""Radio and paths, in a library made by hand."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from muscall import MusCALL
from muscall.errors import MuscallError
from muscall.library.search.examples import Sound
from muscall.library.search.filters import FilterError
from muscall.library.search.finder import Finder
from muscall.library.search.hits import Hit
from muscall.library.search.walking import SPREAD
from muscall.library.store import NothingIndexed, Store
from tests.library.search.test_finder import made, number, track, unit

TRACKS, ARTISTS = 240, 20


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Tracks all around: those of an artist sound alike."""
    generator = np.random.default_rng(0)
    artists = generator.normal(size=(ARTISTS, 16))
    return np.stack([unit(artists[n % ARTISTS] + generator.normal(size=16)) for n in range(TRACKS)])


@pytest.fixture(scope="module")
def finder(
    vectors: np.ndarray, tiny_model: MusCALL, tmp_path_factory: pytest.TempPathFactory
) -> Finder:
    tracks = [
        track(n, vector, [vector], artist=f"Artist {n % ARTISTS}; Guest", year=1990 + n % 3)
        if n % 7 == 0
        else track(n, vector, [vector], artist=f"Artist {n % ARTISTS}", year=1990 + n % 3)
        for n, vector in enumerate(vectors)
    ]
    again, gone = unit(vectors[0] + 1e-4), vectors[1]
    tracks.append(track(TRACKS, again, [again], artist="Artist 0; Guest", year=1990))
    tracks.append(track(TRACKS + 1, gone, [gone], artist="Ghost", offline=True))
    return made(tiny_model, tmp_path_factory.mktemp("library"), tracks)


def sound(vectors: np.ndarray, n: int) -> Sound:
    return Sound(f"{n:040x}", vectors[n])


def artists(hit: Hit) -> set[str]:
    return set(hit.artist.split("; "))


def test_a_walk_repeats_neither_tracks_nor_artists(finder: Finder, vectors: np.ndarray) -> None:
    for start in range(5):
        found = finder.walk(sound(vectors, start), 100)
        assert [hit.rank for hit in found] == list(range(1, 101))
        assert len({hit.key for hit in found} | {f"{start:040x}"}) == 101
        names = [{f"Artist {start % ARTISTS}"}, *map(artists, found)]
        for place, its in enumerate(names):
            for other in names[max(0, place - SPREAD) : place]:
                assert not its & other
        assert TRACKS + 1 not in map(number, found)


def test_its_neighbours_are_nearer_than_those_of_a_random_walk(
    finder: Finder, vectors: np.ndarray
) -> None:
    found = finder.walk(sound(vectors, 3), 100)
    place = [3, *(number(hit) % TRACKS for hit in found)]
    steps = [float(vectors[a] @ vectors[b]) for a, b in pairwise(place)]
    assert [hit.score for hit in found] == pytest.approx(steps, abs=1e-5)
    generator = np.random.default_rng(0)
    others = []
    for _ in range(200):
        some = vectors[generator.permutation(TRACKS)[:101]]
        others.append(float((some[:-1] * some[1:]).sum(axis=1).mean()))
    assert np.mean(steps) > np.mean(others) + 3 * np.std(others)


def test_each_step_is_the_nearest_that_may_be_heard(finder: Finder, vectors: np.ndarray) -> None:
    found = finder.walk(sound(vectors, 5), 30)
    before = [5]
    for hit in found:
        recent = {f"Artist {n % ARTISTS}" for n in before[-SPREAD:]}
        if any(n % 7 == 0 for n in before[-SPREAD:]):
            recent.add("Guest")
        allowed = [
            n
            for n in range(TRACKS)
            if n not in before
            and f"Artist {n % ARTISTS}" not in recent
            and not (n % 7 == 0 and "Guest" in recent)
        ]
        nearest = max(allowed, key=lambda n: float(vectors[n] @ vectors[before[-1]]))
        assert number(hit) % TRACKS == nearest
        before.append(nearest)


def test_what_sounds_the_same_is_heard_once(finder: Finder, vectors: np.ndarray) -> None:
    assert TRACKS not in map(number, finder.walk(sound(vectors, 0), TRACKS))
    whole = finder.walk(Sound("elsewhere", vectors[0]), 2 * TRACKS)
    assert len(whole) == TRACKS
    assert len({0, TRACKS} & set(map(number, whole))) == 1


def test_others_are_found_behind_all_that_one_artist_has_near(
    vectors: np.ndarray, tiny_model: MusCALL, tmp_path: Path
) -> None:
    generator = np.random.default_rng(1)
    near = [unit(vectors[0] + 0.1 * generator.normal(size=16)) for _ in range(150)]
    tracks = [track(n, vector, [vector], artist="Sinéad O'Connor") for n, vector in enumerate(near)]
    others = [unit(generator.normal(size=16) - vectors[0]) for _ in range(20)]
    tracks += [
        track(200 + n, vector, [vector], artist=f"Artist {n}" if n else None)
        for n, vector in enumerate(others)
    ]
    finder = made(tiny_model, tmp_path / "library", tracks)
    found = finder.walk(Sound(f"{0:040x}", near[0]), 20)
    names = ["Sinéad O'Connor", *(hit.artist for hit in found)]
    places = [place for place, name in enumerate(names) if name == names[0]]
    assert len(found) == 20
    assert len(places) > 1
    assert min(np.diff(places)) > SPREAD


def test_with_few_artists_they_are_spread_as_far_as_can_be(
    finder: Finder, vectors: np.ndarray
) -> None:
    where = "artist in ('Artist 1', 'Artist 2', 'Artist 3')"
    found = finder.walk(sound(vectors, 10), 12, where)
    names = [hit.artist for hit in found]
    assert len(names) == 12
    for place in range(len(names) - 2):
        assert len(set(names[place : place + 3])) == 3


def test_filters_hold_on_the_way(finder: Finder, vectors: np.ndarray) -> None:
    assert {hit.year for hit in finder.walk(sound(vectors, 4), 20, "year = 1992")} == {1992}
    path = finder.path(sound(vectors, 4), sound(vectors, 9), 8, "year = 1992")
    assert {hit.year for hit in path[1:-1]} == {1992}
    assert finder.walk(sound(vectors, 4), 20, "year = 1800") == []
    for ask in (
        lambda: finder.walk(sound(vectors, 4), 3, "yeer = 1"),
        lambda: finder.path(sound(vectors, 4), sound(vectors, 5), 3, "yeer = 1"),
    ):
        with pytest.raises(FilterError):
            ask()


def test_a_path_leads_from_one_to_the_other_in_even_steps(
    finder: Finder, vectors: np.ndarray
) -> None:
    for start, end in ((30, 101), (30, 77), (30, 50), (2, 3)):
        found = finder.path(sound(vectors, start), sound(vectors, end), 12)
        numbers = [number(hit) % TRACKS for hit in found]
        assert (numbers[0], numbers[-1], len(set(numbers))) == (start, end, 12)
        # Where in the plane of both each lies: its angle, as a share of the whole.
        plane, _ = np.linalg.qr(vectors[[start, end]].T)
        flat = vectors[numbers] @ plane
        angles = np.unwrap(np.arctan2(flat[:, 1], flat[:, 0]))
        shares = (angles - angles[0]) / (angles[-1] - angles[0])
        assert shares == pytest.approx(np.linspace(0, 1, 12), abs=1 / 11)
        assert (np.diff(shares) > 0).all()


def test_ends_that_are_not_in_the_library_have_the_nearest_in_their_place(
    finder: Finder, vectors: np.ndarray
) -> None:
    elsewhere = [Sound("elsewhere", unit(vectors[n] + 0.02)) for n in (30, 77)]
    found = finder.path(*elsewhere, 5)
    assert [number(found[0]), number(found[-1])] == [30, 77]


def test_a_path_to_itself_stays_near(finder: Finder, vectors: np.ndarray) -> None:
    found = finder.path(sound(vectors, 30), sound(vectors, 30), 4)
    assert len({hit.key for hit in found}) == len(found) == 3
    assert number(found[0]) == 30


def test_nothing_indexed_is_an_error(tiny_model: MusCALL, tmp_path: Path) -> None:
    finder = Finder(Store(tmp_path), "embedding_version", tiny_model)
    with pytest.raises(NothingIndexed):
        finder.walk(Sound("", np.zeros(16, np.float32)), 3)
    with pytest.raises(MuscallError):
        finder.path(Sound("", np.zeros(16, np.float32)), Sound("", np.zeros(16, np.float32)), 3)
