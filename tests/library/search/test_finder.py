"""Finding tracks by sound, words and metadata together, in a library made by hand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lancedb.index import FTS

import muscall.library.search.tracks as tracks_module
from muscall import MusCALL, load
from muscall.errors import MuscallError
from muscall.library.embedding_version import embedding_version_of
from muscall.library.indexing.batch import Batch, Track
from muscall.library.indexing.writer import writing
from muscall.library.search.examples import Sound
from muscall.library.search.filters import FilterError
from muscall.library.search.finder import Finder
from muscall.library.search.hits import Hit, Results
from muscall.library.search.query import SearchQuery
from muscall.library.search.tracks import Tracks
from muscall.library.store import NothingIndexed, Store
from muscall.models.reader import sentence_reader

SOUNDS = ("slow jazz", "driving techno", "a string quartet", "loud drums")
Find = Callable[..., Results]


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
    store, embedding_version = Store(folder), embedding_version_of(model)
    with writing(store, embedding_version, model.config.dim) as writer:
        writer.commit(Batch(tracks=tracks))
        writer.finish()
    return Finder(store, embedding_version, model)


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
    def find(
        text: str = "", *, like: Sequence[Sound] = (), unlike: Sequence[Sound] = (), **more: Any
    ) -> Results:
        return finder.find(SearchQuery(text, **more), like, unlike)

    return find


def number(hit: Hit) -> int:
    return int(hit.key, 16)


def test_the_nearest_in_sound_come_first(find: Find) -> None:
    for sound, text in enumerate(SOUNDS):
        hits = find(text, n=8)
        assert [hit.rank for hit in hits] == list(range(1, 9))
        assert sum(number(hit) // 10 == sound for hit in hits) >= 7
        assert hits[0].relative_score == 1
        assert all(
            hit.keyword_match for hit in hits
        )  # alike in words, so that sound alone orders them
        scores = [hit.score for hit in hits]
        assert scores == sorted(scores, reverse=True)


def test_the_passage_that_fits_best_is_told(find: Find) -> None:
    hits = find(SOUNDS[1], n=5)
    assert {(hit.passage.start, hit.passage.seconds) for hit in hits if hit.passage} == {(2.0, 2.0)}


def test_a_name_in_the_tags_is_found_whatever_it_sounds_like(find: Find) -> None:
    first = find("Bach cello", n=3)[0]
    assert number(first) == 29
    assert first.keyword_match
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
    table = finder.store.tracks(finder.embedding_version)
    assert table is not None
    rows = [r for r in table.to_arrow().to_pylist() if not r["offline"] and (r["year"] or 0) > 1993]
    query = tiny_model.encode_text(["loud drums"])[0]
    exact = sorted(rows, key=lambda row: -float(np.array(row["vector"]) @ query))[:10]
    hits = find("loud drums", where="year > 1993", n=10)
    nearest = sorted(hits, key=lambda hit: -hit.score)
    # Words in the genre may bring others in, but none that is nearer is missing.
    assert {row["key"] for row in exact[:5]} <= {hit.key for hit in nearest}


def test_filters_hold_alike_for_few_tracks_and_for_many(
    find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few are told by their keys."""
    for where in ('year > 1994 and artist = "Artist 1"', "year > 3000"):
        few = find("piece jazz", where=where, n=20)
        with monkeypatch.context() as patch:
            patch.setattr(tracks_module, "_FEW", 0)
            assert find("piece jazz", where=where, n=20) == few


def test_an_artist_has_so_many_tracks_at_most(find: Find) -> None:
    hits = find(SOUNDS[0], n=12, max_per_artist=2)
    artists = [hit.artist for hit in hits if hit.artist]
    assert max(map(artists.count, artists)) == 2


def test_an_example_stands_for_a_sentence(find: Find, finder: Finder) -> None:
    rows = finder.store.rows(finder.embedding_version, [f"{13:040x}"]).to_pylist()
    vector = np.array(rows[0]["vector"], np.float32)
    assert number(find(like=[Sound("", vector)], n=1)[0]) == 13
    but = find(like=[Sound(f"{13:040x}", vector)], n=5)
    assert 13 not in {number(hit) for hit in but}
    assert sum(number(hit) // 10 == 1 for hit in but) >= 4


def test_less_like_this_leads_away(find: Find, tiny_model: MusCALL) -> None:
    techno = tiny_model.encode_text([SOUNDS[1]])[0]
    near, away = (
        {number(hit): hit.score for hit in find("loud drums", unlike=unlike, n=40)}
        for unlike in ([], [Sound("", techno)])
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
    for asked in (SearchQuery("calm piano, no drums"), SearchQuery("calm piano", avoid=["drums"])):
        hits = finder.find(asked)
        assert [(number(hit), hit.keyword_match) for hit in hits] == [
            (1, False)
        ]  # and none of that name
    assert [
        number(hit) for hit in finder.find(SearchQuery("drums, no piano")) if hit.keyword_match
    ] == [2]


def test_names_come_first_whatever_they_sound_like(tiny_model: MusCALL, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    texts = tiny_model.encode_text(["drascula", "calm piano", "beyonce", "fast"])
    noise = generator.normal(size=(8, texts.shape[1]))
    tracks = [
        *(track(n, texts[n % 4], [texts[n % 4]], title=f"Piece {n}") for n in range(40)),
        *(
            track(100 + n, away, [away], title=f"Part {n}", album="Drascula")
            for n, away in enumerate(map(unit, texts[3] + noise))
        ),
        track(200, texts[3], [texts[3]], title="Halo", artist="Beyoncé; Ann"),
        track(201, texts[3], [texts[3]], title="夜曲の月"),
        track(202, texts[3], [texts[3]], path="/music/Nina Simone/Pastel Blues/01 Sinnerman.flac"),
        track(203, texts[1], [texts[1]], title="Calm Piano, Drascula"),
        track(204, texts[3], [texts[3]], path="/music/battle_over_the_junk_city.ogg"),
    ]  # fmt: skip
    finder = made(tiny_model, tmp_path / "library", tracks)

    def first(sentence: str, n: int) -> set[int]:
        return {number(hit) for hit in finder.find(SearchQuery(sentence, n=n))}

    assert first("drascula", 8) <= {*range(100, 108), 203}
    for name in ("beyonce", "BEYONCÉ", "Beyonce\u0301", "halo beyonce"):
        assert first(name, 1) == {200}
    assert first("夜曲", 1) == {201}
    assert first("junk city", 1) == {204}
    assert first("nina simone", 1) == first("pastel blues", 1) == {202}
    without = first("calm piano, no drascula", 50)
    assert without
    assert not without & {*range(100, 108), 203}


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Fairuz", "فيروز"), ("fayrouz", "فيروز"), ("Oum Kalthoum", "أم كلثوم"),
        ("Tchaikovsky", "Пётр Чайковский"), ("Chaikovskii", "Пётр Чайковский"),
        ("music by Tschaikowski", "Пётр Чайковский"), ("yoru", "よる"), ("ye qu", "夜曲"),
        ("Zhou Jielun", "周杰倫"), ("theodorakis", "Μίκης Θεοδωράκης"),
    ],
)  # fmt: skip
def test_names_in_other_scripts_are_found_in_latin_letters(
    scripts: Finder, typed: str, name: str
) -> None:
    first = scripts.find(SearchQuery(typed, n=1))[0]
    assert first.artist == name
    assert first.relative_score == 1
    assert scripts.find(SearchQuery(name, n=1))[0].artist == name


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Finder:
    """Names in seven scripts, among Latin ones."""
    model = load()
    techno, jazz = model.encode_text(["techno", "slow jazz"])
    latin = ("Kevin Smith", "Forza", "Karl Macklin", "The Kelvins", "Theo Dorak", "Fair Use")
    other = ("فيروز", "أم كلثوم", "Пётр Чайковский", "よる", "夜曲", "周杰倫", "Μίκης Θεοδωράκης")
    tracks = [track(n, jazz, [jazz], title=f"A {n}", artist=name) for n, name in enumerate(latin)]
    tracks += [
        track(50 + n, techno, [techno], title=f"B {n}", artist=name) for n, name in enumerate(other)
    ]
    return made(model, tmp_path_factory.mktemp("scripts"), tracks)


def test_an_earlier_index_of_words_is_made_anew(tiny_model: MusCALL, tmp_path: Path) -> None:
    (vector,) = tiny_model.encode_text(["fast"])
    finder = made(tiny_model, tmp_path / "library", [track(1, vector, [vector], title="Beyoncé")])
    table = finder.store.tracks(finder.embedding_version)
    assert table is not None
    table.update(values={"words": "Beyoncé 1"})
    for index in table.list_indices():
        if index.columns == ["words"]:
            table.drop_index(index.name)
    table.create_index("words", config=FTS())
    assert not finder.find(SearchQuery("beyonce"))[0].keyword_match
    with writing(finder.store, finder.embedding_version, tiny_model.config.dim) as writer:
        writer.finish()
    assert finder.find(SearchQuery("beyonce"))[0].keyword_match


def test_names_of_the_library_are_no_negations(tiny_model: MusCALL, tmp_path: Path) -> None:
    (slow,) = tiny_model.encode_text(["slow"])
    tracks = [
        track(1, slow, [slow], artist="No Doubt"),
        track(2, slow, [slow], title="No Woman, No Cry (Live)"),
        track(3, slow, [slow], album="Not for You", offline=True),
        track(4, slow, [slow], genre="Dub; No Rap"),
    ]
    finder = made(tiny_model, tmp_path / "library", tracks)
    assert [number(hit) for hit in finder.find(SearchQuery("music by No Doubt"))] == [1]
    like = finder.find(SearchQuery("songs like no woman no cry"))
    assert [part.value for part in like.understood] == ["No Woman, No Cry (Live)"]
    assert {number(hit) for top in like for hit in (top, *top.versions)} == {1, 4}
    for sentence, named in (
        ("dub, no rap", [4]),
        ("dub, no doubting rap", [4]),
    ):
        assert [
            number(hit) for hit in finder.find(SearchQuery(sentence)) if hit.keyword_match
        ] == named
    for sentence in ("slow, not for you", "dub, no rap"):
        whole = finder.direction(SearchQuery(sentence))
        assert whole == pytest.approx(tiny_model.encode_text([sentence])[0], abs=1e-6)
    with writing(finder.store, finder.embedding_version, len(slow)) as writer:
        writer.commit(Batch(tracks=[track(5, slow, [slow], artist="No Hats")]))
    assert finder.direction(SearchQuery("slow, no hats")) == pytest.approx(
        tiny_model.encode_text(["slow, no hats"])[0], abs=1e-6
    )


def test_words_that_the_model_may_not_know_are_told(tmp_path: Path) -> None:
    model = load()
    (jazz,) = model.encode_text(["slow jazz"])
    tracks = [track(1, jazz, [jazz], title="夜曲", artist="Kraftwerk")]
    finder = made(model, tmp_path / "library", tracks)
    for sentence, unknown in (
        ("rustige gitaarmuziek", ["rustige gitaarmuziek"]),
        ("quarterly tax return", ["quarterly tax return"]),
        ("ruhige Akustikgitarre", []),
        ("спокойная музыка, no drums", ["спокойная музыка"]),
        ("shoegaze for a rainy evening", []),
        ("夜曲", []),
        ("kraftwerk", []),
        ("kraftwerg", []),
        ("ye qu", []),
        ("slow jazz", []),
    ):
        parts = finder.find(SearchQuery(sentence)).understood
        assert [part.value for part in parts if part.kind == "unknown"] == unknown


def test_what_the_model_does_not_know_fits_nothing_but_names(tmp_path: Path) -> None:
    model = load()
    jazz, techno = model.encode_text(["slow jazz", "techno"])
    tracks = [track(n, vector, [vector]) for n, vector in enumerate([jazz, techno] * 4)]
    tracks.append(track(20, techno, [techno], title="Quarterly Tax"))
    finder = made(model, tmp_path / "library", tracks)

    def fits(sentence: str, like: Sequence[Sound] = ()) -> list[float]:
        return [hit.relative_score for hit in finder.find(SearchQuery(sentence), like)]

    assert fits("rustige gitaarmuziek") == [0, 0]  # of eight, versions of two
    assert fits("quarterly tax")[:2] == [1, 0]
    assert fits("rustige gitaarmuziek", [Sound("0" * 40, jazz)])[0] == 1
    for sentence in ("slow jazz", "quarterly tax", "techno, no jazz", "jazz quarterly"):
        assert fits(sentence) == sorted(fits(sentence), reverse=True)


def test_a_name_of_many_tracks_is_a_name_but_a_musical_word_is_none(tmp_path: Path) -> None:
    model, generator = load(), np.random.default_rng(0)
    techno, name = model.encode_text(["techno", "drascula"])

    def some(first: int, vector: np.ndarray, **tags: str) -> list[Track]:
        noise = generator.normal(size=(9, len(vector))) / np.sqrt(len(vector))
        vectors = [unit(vector + 0.5 * one) for one in noise]
        return [track(first + n, one, [one], **tags) for n, one in enumerate(vectors)]

    tracks = [
        *some(0, -name, title="Scene", album="Drascula Returns"),
        *some(20, name, title="Other"),
        *some(40, -techno, title="Techno Days"),
        *some(60, techno, title="Another"),
    ]
    finder = made(model, tmp_path / "library", tracks)
    assert {hit.album for hit in finder.find(SearchQuery("drascula", n=9))} == {"Drascula Returns"}
    # What is called so is not before all others.
    hits = finder.find(SearchQuery("techno", n=18))
    assert sum(hit.relative_score == 1 for hit in hits) == 1


@pytest.mark.parametrize("slip", ["Kar lMacklin", "Karl Macklni", "Karl Mac klin"])
def test_a_name_with_a_slip_between_its_words_is_found(tmp_path: Path, slip: str) -> None:
    model = load()
    techno, jazz = model.encode_text(["techno", "slow jazz"])
    tracks = [track(n, techno, [techno], title=f"Other {n}") for n in range(9)]
    finder = made(
        model,
        tmp_path / "library",
        [*tracks, track(10, jazz, [jazz], title="Dawn", artist="Karl Macklin")],
    )
    assert finder.find(SearchQuery(slip))[0].artist == "Karl Macklin"


def test_nothing_asked_for_is_an_error(find: Find) -> None:
    with pytest.raises(MuscallError, match="the query is empty"):
        find("  ")


def test_a_finder_follows_what_is_indexed(tiny_model: MusCALL, tmp_path: Path) -> None:
    store, embedding_version = Store(tmp_path / "library"), embedding_version_of(tiny_model)
    finder = Finder(store, embedding_version, tiny_model)
    dim = tiny_model.config.dim
    assert finder.sample().shape == (0, dim)
    jazz, techno = tiny_model.encode_text(SOUNDS[:2])
    with writing(store, embedding_version, dim) as writer:
        assert finder.sample().shape == (0, dim)
        with pytest.raises(NothingIndexed):
            finder.find(SearchQuery("slow jazz"))
        writer.commit(Batch(tracks=[track(1, jazz, [jazz], title="Blue")]))
        assert [number(hit) for hit in finder.find(SearchQuery("slow jazz"))] == [1]
        assert finder.find(SearchQuery("blue"))[0].keyword_match  # from the first commit on
        writer.commit(Batch(tracks=[track(2, techno, [techno])]))
        writer.finish()
    hits = finder.find(SearchQuery("slow jazz"))
    assert [(number(hit), hit.relative_score) for hit in hits] == [(1, 1), (2, 0)]
    assert [number(hit) for hit in finder.find(SearchQuery("blue")) if hit.keyword_match] == [1]
    np.testing.assert_allclose(finder.sample(), [jazz, techno], atol=1e-6)


def test_hits_stand_between_the_usual_and_the_best(find: Find) -> None:
    hits = find(SOUNDS[1], n=40)
    relative = [hit.relative_score for hit in hits]
    assert relative == sorted(relative, reverse=True)
    assert (relative[0], relative[-1]) == (1, 0)
    assert {hit.relative_score for hit in find(where="year > 1995")} == {0}


def test_a_library_that_this_model_has_not_heard_says_so(finder: Finder, tmp_path: Path) -> None:
    for store in (finder.store, Store(tmp_path / "none")):
        with pytest.raises(NothingIndexed, match="nothing is indexed"):
            Finder(store, "0" * 12, finder.model).find(SearchQuery("jazz"))


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Finder:
    """A hundred tracks at random, and a sentence's own place for each of SOUNDS."""
    model, generator = load(), np.random.default_rng(0)
    model.precision = torch.float32
    vectors = [unit(vector) for vector in generator.normal(size=(100, model.config.dim))]
    vectors += list(model.encode_text(SOUNDS))
    tracks = [track(n, vector, [vector]) for n, vector in enumerate(vectors)]
    return made(model, tmp_path_factory.mktemp("heard"), tracks)


def test_without_torch_the_order_is_that_of_torch(heard: Finder) -> None:
    reader = sentence_reader(None)
    assert reader is not None
    other = Finder(heard.store, heard.embedding_version, reader)
    for sentence in (*SOUNDS, "calm piano, no drums", "sad songs for a rainy evening", "metal"):
        query = SearchQuery(sentence, n=20)
        assert [hit.key for hit in other.find(query)] == [hit.key for hit in heard.find(query)]


def test_a_sentence_as_a_command_needs_no_torch(heard: Finder) -> None:
    code = (
        "import sys\n"
        "from muscall.cli import main\n"
        f"sys.argv = ['muscall', 'search', 'slow jazz', '--library', {str(heard.store.folder)!r}]\n"
        "try:\n    main()\n"
        "finally:\n    assert not {'torch', 'huggingface_hub', 'scipy'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "100.flac" in done.stdout.splitlines()[0], done.stdout


def test_searches_read_no_waveform(finder: Finder) -> None:
    table = finder.store.tracks(finder.embedding_version)
    assert table is not None
    assert "waveform" in table.schema.names
    tracks = Tracks.of(table)
    found = [*tracks.near(tracks.sample[0], [], 3), *tracks.listed([], 3), *tracks.some([], 3)]
    assert len(found) == 9
    assert not [row for row in found if "waveform" in row]
