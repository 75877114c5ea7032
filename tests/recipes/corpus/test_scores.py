"""The corpus's scores: which pieces are kin, what an arrangement plays, and what is said of it."""

from __future__ import annotations

import ctypes.util
import json
import random
import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

if ctypes.util.find_library("fluidsynth") is None:
    pytest.skip("needs Debian's libfluidsynth3", allow_module_level=True)

from recipes.corpus import events, keys, midi, rows, scores
from recipes.corpus.scores import arranging, bands, reading
from recipes.corpus.scores import pieces as all_pieces
from recipes.corpus.scores.pieces import Piece, _title, collections

music21 = pytest.importorskip("music21", reason="the scores are music21's")
CORPUS = Path(music21.__file__).parent / "corpus"

TUNE = """X:1
T:The Test of Time
R:{form}
M:{metre}
L:1/8
K:G
|:GABc dedB|dedB dedB|c2ec B2dB|A2F2 G4:|
|:gage dedB|gage dedB|c2ec B2dB|A2F2 G4:|
"""


@pytest.fixture(scope="module")
def pieces() -> list[Any]:
    found: list[Any] = all_pieces(CORPUS)
    return found


def _tune(folder: Path, form: str, metre: str) -> Any:
    home = folder / "ryansMammoth"
    home.mkdir(exist_ok=True)
    (home / "test.abc").write_text(TUNE.format(form=form, metre=metre))
    (piece,) = all_pieces(folder)
    return piece


@pytest.fixture(scope="module")
def scores_read(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where scores are kept once music21 has read them."""
    return tmp_path_factory.mktemp("scores")


def _some(pieces: list[Any], per_collection: int) -> list[Any]:
    """A few light pieces of every collection; fewer are among more."""
    by: dict[str, list[Any]] = defaultdict(list)
    for piece in pieces:
        if piece.collection not in ("haydn", "mozart", "beethoven", "schumann", "weber", "josquin"):
            by[piece.collection].append(piece)
    rng = random.Random(3)
    return [p for kin in by.values() for p in rng.sample(kin, min(3, len(kin)))[:per_collection]]


def _arrange(piece: Any, folder: Path, seed: int, take: int = 0) -> Any:
    score = reading.read(piece, folder)
    kind = collections()[piece.collection]["kind"]
    return arranging.arrange(
        score, kind, form=piece.form, mark=piece.mark, tradition="", take=take,
        rng=random.Random(seed),
    )  # fmt: skip


def test_pieces_have_ids_of_their_own_and_reserved_encodings_are_left_out(
    pieces: list[Any],
) -> None:
    assert len({piece.id for piece in pieces}) == len(pieces) > 5000
    folders = {Path(piece.path).relative_to(CORPUS).parts[0] for piece in pieces}
    # "Rights to all derivative electronic formats reserved", and songs under copyright.
    assert not folders & {"palestrina", "leadSheet", "demos"}


def test_variants_of_a_tune_are_kin_and_a_composer_is_one_group(pieces: list[Any]) -> None:
    cockade = {p.group for p in pieces if "The White Cockade" in p.titles}
    assert len(cockade) == 1
    # The same opening under another title, in another book.
    assert len({p.group for p in pieces if p.collection.startswith("bach")}) == 1
    assert len({p.group for p in pieces}) > 3000


@pytest.mark.parametrize(
    ("form", "metre", "kept"),
    [("reel", "4/4", "reel"), ("jig", "4/4", None), ("slipjig", "9/8", "slip jig"),
     ("", "C", None)],
)  # fmt: skip
def test_a_form_is_kept_where_the_metre_allows_it(
    tmp_path: Path, form: str, metre: str, kept: str | None
) -> None:
    assert _tune(tmp_path, form, metre).form == kept


@pytest.mark.parametrize(
    ("written", "shown"),
    [("BAG OF MEAL, THE", "The Bag of Meal"), ("Irish Air", "Irish Air"), ("Do.", ""),
     ("Jenny's Wedding [2]", "Jenny's Wedding"), ("Sanshili pu, S. 155", "Sanshili pu"),
     ("Reel", "")],
)  # fmt: skip
def test_titles_read_as_people_write_them(written: str, shown: str) -> None:
    assert _title(written) == shown


def test_repeats_are_played_and_a_short_tune_comes_round_again(tmp_path: Path) -> None:
    piece = _tune(tmp_path, "reel", "4/4")
    score = reading.read(piece, tmp_path / "scores")
    assert score.length == 64.0  # eight bars of four, each strain twice
    assert (score.metre, score.tonic, score.mode) == ("4/4", "G", "major")
    assert reading.read(piece, tmp_path / "scores") == score  # from its file
    short = replace(score, parts=(score.parts[0][:24],), length=16.0, bars=(0.0, 4.0, 8.0, 12.0))
    (notes,), bars = arranging._excerpt(short, 40.0, 0, random.Random(0))
    assert max(at for at, _, _ in notes) > 32.0
    assert bars == [4.0 * n for n in range(11)]


def test_an_unreadable_piece_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.mxl"
    path.write_bytes(b"not a score")
    piece = Piece("x", "haydn", str(path), None, (), None, None, "g")
    with pytest.raises(rows.ClipError, match=r"^broken\.mxl: music21 cannot read x"):
        reading.read(piece, tmp_path)


def test_excerpts_stay_in_bounds_and_repeat(pieces: list[Any], scores_read: Path) -> None:
    for piece in _some(pieces, 1):
        first = _arrange(piece, scores_read, 5)
        assert 22.0 <= first.seconds <= 25.0
        assert all(-1e-6 <= at <= first.seconds + 0.06 for at, _ in first.events)
        assert first == _arrange(piece, scores_read, 5)
        assert first.events != _arrange(piece, scores_read, 6, take=1).events


def test_what_is_said_is_what_is_played(
    pieces: list[Any], scores_read: Path, tmp_path: Path
) -> None:
    names = sorted(set(midi.GM), key=len, reverse=True)
    for seed, piece in enumerate(_some(pieces, 3)):
        arranged = _arrange(piece, scores_read, seed)
        path = tmp_path / "song.mid"
        events.write(arranged.events, path)
        facts = midi.read_facts(path, arranged.seconds)
        facts |= arranged.facts | {
            "title": None, "by": None, "played": {"soundfonts": [{"licence": "MIT"}]},
        }  # fmt: skip
        what = scores.Excerpt(piece, 0, "")
        clip = rows.Clip("c", "scores", piece.group, seed, what)
        words = scores.PART.describe(clip, json.loads(json.dumps(facts)))
        assert 4 <= len(words.captions) == len(words.kinds) <= 6
        told = " ".join(words.captions).lower()
        for count, word in {2: "duo", 3: "trio", 4: "quartet", 5: "quintet"}.items():
            if piece.collection != "haydn" and f" {word}" in told:
                assert facts["parts"] == count or (word == "duo" and len(facts["programs"]) <= 2)
        for name in names:
            if " " in name and re.search(rf"\b{name}\b", told):
                had = [*facts["instruments"], *facts["ensemble"]]
                had += ["double bass"] * ("upright bass" in had)
                assert any(name in one for one in had), told
        if not facts["drums"]:
            assert not re.search(r"\b(drums|percussion|congas)\b", told), told
        if facts["tonic"] is None:
            assert not re.search(r"\bin [a-g]( flat| sharp)? (major|minor)\b", told), told
        if facts["pace"] != "slow":
            assert not re.search(r"\b(slow|unhurried|calm|peaceful)\b", told), told


def test_a_transposed_key_is_the_key_of_the_notes(tmp_path: Path) -> None:
    piece = _tune(tmp_path, "reel", "4/4")
    score = reading.read(piece, tmp_path / "scores")
    for shift in range(-5, 6):
        parts = [[(at, n, pitch + shift) for at, n, pitch in score.parts[0]]]
        heard = arranging._key(score, parts, shift)
        assert heard == (keys.NAMES[(7 + shift) % 12], "major")
    wrong = replace(score, sharps=-3)
    assert arranging._key(wrong, [score.parts[0]], 0) is None


def test_harmony_fits_the_tune() -> None:
    notes = [(0.0, 2.0, 72), (2.0, 2.0, 76), (4.0, 2.0, 74), (6.0, 2.0, 71)]
    chords = bands.harmonise(notes, [0.0, 2.0, 4.0, 8.0], 0, False)
    assert [triad for _, _, triad in chords] == [(0, 4, 7), (0, 4, 7), (7, 11, 2), (7, 11, 2)]
    assert sum(length for _, length, _ in chords) == 8.0


@pytest.mark.usefixtures("small_soundfonts")
def test_a_clip_is_heard_and_the_same_each_time(tmp_path: Path) -> None:
    piece = _tune(tmp_path, "reel", "4/4")
    clip = scores._clip(piece, 0, 1, tmp_path)
    take = scores.PART.render(clip)
    assert 20.0 <= len(take.samples) / take.rate <= 30.0
    assert abs(take.samples).max() > 1e-3
    again = scores.PART.render(clip)
    assert (again.samples == take.samples).all()
    assert again.facts == take.facts
    words = scores.PART.describe(clip, take.facts)
    assert "author" in words.kinds
    assert any("The Test of Time" in text for text in words.captions)
    assert json.dumps([words.facts, words.source, words.licence])
