"""Finding tracks by sound, words and metadata together, in a library made by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from muscall import MusCALL
from muscall.errors import MuscallError
from muscall.library.filters import FilterError
from muscall.library.finder import Finder, Request, _score_sound
from muscall.library.hits import Hit
from muscall.library.pipeline import pipeline_id
from muscall.library.store import NothingIndexed, Store
from muscall.library.writer import Batch, Track, writing

SOUNDS = ("slow jazz", "driving techno", "a string quartet", "loud drums")
Find = Callable[..., list[Hit]]


def unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def track(key: int, vector: np.ndarray, windows: list[np.ndarray], **tags: Any) -> Track:
    row = {
        "key": f"{key:040x}", "path": f"/music/{key}.flac", "root": "/music", "title": None,
        "artist": None, "album": None, "genre": None, "year": None, "bpm": None,
        "duration": 2.0 * len(windows), "offline": False, "added": datetime.now(UTC),
        "windows": len(windows), "vector": vector,
    }  # fmt: skip
    return Track(row | tags, [(2.0 * n, 2.0, window) for n, window in enumerate(windows)])


def made(model: MusCALL, folder: Path, tracks: list[Track]) -> Finder:
    """A finder over a library of `tracks` in `folder`."""
    store, pipeline = Store(folder), pipeline_id(model)
    with writing(store, pipeline, model.config.dim) as writer:
        writer.commit(Batch(tracks=tracks))
        writer.finish()
    return Finder(store, pipeline, model)


@pytest.fixture(scope="module")
def finder(tiny_model: MusCALL, tmp_path_factory: pytest.TempPathFactory) -> Finder:
    """Forty tracks: ten near each of SOUNDS, the nearest first, their second passage nearest."""
    generator = np.random.default_rng(0)
    texts = tiny_model.encode_text(SOUNDS)
    tracks = []
    for sound, text in enumerate(texts):
        for place in range(10):
            noise = generator.normal(size=text.shape) / np.sqrt(len(text))
            vector = unit(text + (0.2 + 0.1 * place) * noise)
            tags = {
                "title": f"Piece {place}", "artist": f"Artist {place % 3}", "year": 1990 + place,
                "genre": SOUNDS[sound].split()[-1],
            }  # fmt: skip
            if (sound, place) == (2, 9):
                tags |= {"artist": "Johann Sebastian Bach", "title": "Suite for Cello"}
            windows = [unit(vector + 0.5 * noise), unit(vector + text), unit(vector + noise)]
            tracks.append(track(10 * sound + place, vector, windows, **tags))
    # The same recording again, and a file that is gone.
    again = [vector for _, _, vector in tracks[0].windows]
    tracks.append(track(40, unit(tracks[0].row["vector"] + 1e-3), again, title="Copy"))
    tracks.append(track(42, tracks[0].row["vector"], [*again, *again], title="Longer"))
    tracks.append(track(41, texts[0], [texts[0]], title="Gone", offline=True))
    return made(tiny_model, tmp_path_factory.mktemp("library"), tracks)


@pytest.fixture(scope="module")
def find(finder: Finder) -> Find:
    return lambda text="", **request: finder.find(Request(text, **request))


def number(hit: Hit) -> int:
    return int(hit.key, 16)


def test_the_nearest_in_sound_come_first(find: Find) -> None:
    for sound, text in enumerate(SOUNDS):
        hits = find(text, n=8)
        assert [hit.rank for hit in hits] == list(range(1, 9))
        assert sum(number(hit) // 10 == sound for hit in hits) >= 7
        assert hits[0].percentile > 90
        assert all(hit.named for hit in hits)  # alike in words, so that sound alone orders them
        scores = [hit.score for hit in hits]
        assert scores == sorted(scores, reverse=True)


def test_no_track_is_nearer_than_itself() -> None:
    texts = np.eye(4, 8, dtype=np.float32)
    # As where a product of one vector rounds otherwise than that of all.
    row: dict[str, Any] = {"vector": texts[0] * np.float32(1 + 1e-6)}
    _score_sound([row], texts[0], texts)
    assert row["percentile"] == 75


def test_the_passage_that_fits_best_is_told(find: Find) -> None:
    hits = find(SOUNDS[1], n=5)
    assert {(hit.passage.start, hit.passage.seconds) for hit in hits if hit.passage} == {(2.0, 2.0)}


def test_a_name_in_the_tags_is_found_whatever_it_sounds_like(find: Find) -> None:
    first = find("Bach cello", n=3)[0]
    assert number(first) == 29
    assert first.named
    assert first.artist == "Johann Sebastian Bach"
    # A word that every title has tells nothing.
    assert {number(hit) // 10 for hit in find("slow jazz piece", n=5)} == {0}


def test_versions_of_one_recording_are_shown_together_and_stay_tracks(find: Find) -> None:
    hits = find(SOUNDS[0], n=12)
    together = next(hit for hit in hits if hit.versions)
    assert {number(together), *(number(version) for version in together.versions)} == {0, 40}
    assert len(hits) == 12
    assert 42 in map(number, hits)  # as near, and another length


def test_what_is_gone_is_not_found(find: Find) -> None:
    assert 41 not in {number(hit) for hit in find(SOUNDS[0], n=40)}


def test_filters_hold_for_sound_words_and_alone(find: Find) -> None:
    for text in ("slow jazz", "Bach cello", ""):
        hits = find(text, where="year >= 1998 and genre ~ quartet", n=40)
        assert {number(hit) for hit in hits} == {28, 29}
    with pytest.raises(FilterError):
        find("slow jazz", where="1 = 1")


def test_filtered_search_is_exact(find: Find, finder: Finder, tiny_model: MusCALL) -> None:
    table = finder.store.tracks(finder.pipeline)
    assert table is not None
    rows = [r for r in table.to_arrow().to_pylist() if not r["offline"] and (r["year"] or 0) > 1993]
    query = tiny_model.encode_text(["loud drums"])[0]
    exact = sorted(rows, key=lambda row: -float(np.array(row["vector"]) @ query))[:10]
    hits = find("loud drums", where="year > 1993", n=10)
    nearest = sorted(hits, key=lambda hit: -hit.score)
    # Words in the genre may bring others in, but none that is nearer is missing.
    assert {row["key"] for row in exact[:5]} <= {hit.key for hit in nearest}


def test_an_artist_has_so_many_tracks_at_most(find: Find) -> None:
    hits = find(SOUNDS[0], n=12, most_per_artist=2)
    artists = [hit.artist for hit in hits if hit.artist]
    assert max(map(artists.count, artists)) == 2


def test_an_example_stands_for_a_sentence(find: Find, finder: Finder) -> None:
    rows = finder.store.rows(finder.pipeline, [f"{13:040x}"]).to_pylist()
    vector = np.array(rows[0]["vector"], np.float32)
    assert number(find(like=[vector], n=1)[0]) == 13
    but = find(like=[vector], but=frozenset({f"{13:040x}"}), n=5)
    assert 13 not in {number(hit) for hit in but}
    assert sum(number(hit) // 10 == 1 for hit in but) >= 4


def test_less_like_this_leads_away(find: Find, tiny_model: MusCALL) -> None:
    techno = tiny_model.encode_text([SOUNDS[1]])[0]
    near, away = (
        {number(hit): hit.score for hit in find("loud drums", unlike=unlike, n=40)}
        for unlike in ([], [techno])
    )
    fallen: dict[bool, list[float]] = {True: [], False: []}
    for track in near.keys() & away.keys():
        fallen[track // 10 == 1].append(near[track] - away[track])
    assert np.mean(fallen[True]) > max(0, np.mean(fallen[False]))


def test_negated_words_lead_away_as_avoided_ones_do(find: Find) -> None:
    said, asked = find("slow jazz, no techno", n=6), find("slow jazz", avoid=["techno"], n=6)
    plain = find("slow jazz", n=6)
    assert [hit.score for hit in said] == pytest.approx([hit.score for hit in asked], abs=0.02)
    assert [hit.score for hit in said] != pytest.approx([hit.score for hit in plain], abs=1e-3)


def test_only_what_is_wanted_is_looked_up(tiny_model: MusCALL, tmp_path: Path) -> None:
    piano, techno = tiny_model.encode_text(["calm piano", "driving techno"])
    tracks = [
        track(1, piano, [piano], title="Etude"),
        track(2, techno, [techno], title="Drums of Love"),
    ]
    finder = made(tiny_model, tmp_path / "library", tracks)
    for asked in (Request("calm piano, no drums"), Request("calm piano", avoid=["drums"])):
        hits = finder.find(asked)
        assert [(number(hit), hit.named) for hit in hits] == [(1, False), (2, False)]
    assert [number(hit) for hit in finder.find(Request("drums, no piano")) if hit.named] == [2]


def test_names_of_the_library_are_no_negations(tiny_model: MusCALL, tmp_path: Path) -> None:
    (slow,) = tiny_model.encode_text(["slow"])
    tracks = [
        track(1, slow, [slow], artist="No Doubt"),
        track(2, slow, [slow], title="No Woman, No Cry (Live)"),
        track(3, slow, [slow], album="Not for You", offline=True),
        track(4, slow, [slow], genre="Dub; No Rap"),
    ]
    finder = made(tiny_model, tmp_path / "library", tracks)
    for sentence, named in (
        ("music by No Doubt", [1]),
        ("songs like no woman no cry", [2]),
        ("dub, no rap", [4]),
        ("dub, no doubting rap", [4]),
    ):
        assert [number(hit) for hit in finder.find(Request(sentence)) if hit.named] == named
    for sentence in ("music by No Doubt", "slow, not for you", "dub, no rap"):
        whole = finder.embedding(Request(sentence))
        assert whole == pytest.approx(tiny_model.encode_text([sentence])[0], abs=1e-6)
    with writing(finder.store, finder.pipeline, len(slow)) as writer:
        writer.commit(Batch(tracks=[track(5, slow, [slow], artist="No Hats")]))
    assert finder.embedding(Request("slow, no hats")) == pytest.approx(
        tiny_model.encode_text(["slow, no hats"])[0], abs=1e-6
    )


def test_nothing_asked_for_is_an_error(find: Find) -> None:
    with pytest.raises(MuscallError, match="nothing is asked for"):
        find("  ")


def test_a_finder_follows_what_is_indexed(tiny_model: MusCALL, tmp_path: Path) -> None:
    store, pipeline = Store(tmp_path / "library"), pipeline_id(tiny_model)
    finder = Finder(store, pipeline, tiny_model)
    dim = tiny_model.config.dim
    assert finder.sample().shape == (0, dim)
    jazz, techno = tiny_model.encode_text(SOUNDS[:2])
    with writing(store, pipeline, dim) as writer:
        assert finder.sample().shape == (0, dim)
        with pytest.raises(NothingIndexed):
            finder.find(Request("slow jazz"))
        writer.commit(Batch(tracks=[track(1, jazz, [jazz], title="Blue")]))
        assert [number(hit) for hit in finder.find(Request("slow jazz"))] == [1]
        assert not finder.find(Request("blue"))[0].named  # words are in an index only at the end
        writer.commit(Batch(tracks=[track(2, techno, [techno])]))
        writer.finish()
    hits = finder.find(Request("slow jazz"))
    assert [(number(hit), hit.percentile) for hit in hits] == [(1, 50), (2, 0)]
    assert [number(hit) for hit in finder.find(Request("blue")) if hit.named] == [1]
    np.testing.assert_allclose(finder.sample(), [jazz, techno], atol=1e-6)


def test_hits_stand_between_the_usual_and_the_best(find: Find) -> None:
    hits = find(SOUNDS[1], n=40)
    standings = [hit.standing for hit in hits]
    assert standings == sorted(standings, reverse=True)
    assert (standings[0], standings[-1]) == (1, 0)
    assert {hit.standing for hit in find(where="year > 1995")} == {0}


def test_a_library_that_this_model_has_not_heard_says_so(finder: Finder, tmp_path: Path) -> None:
    for store in (finder.store, Store(tmp_path / "none")):
        with pytest.raises(NothingIndexed, match="nothing is indexed"):
            Finder(store, "0" * 12, finder.model).find(Request("jazz"))
