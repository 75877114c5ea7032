"""The recipe for the first corpus: its pure parts, and two clips rendered for real."""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

RECIPE = Path(__file__).parents[2] / "recipes" / "first-corpus"
MODULES = (
    "build", "captions", "claims", "grooves", "hearing", "manifests", "midi", "plan", "render",
    "songs", "words",
)  # fmt: skip


@pytest.fixture(scope="module")
def recipe() -> Iterator[SimpleNamespace]:
    """The recipe's modules; it is a folder of scripts, not a package."""
    pytest.importorskip("mido", reason="the recipe reads MIDI files with mido")
    sys.path.insert(0, str(RECIPE))
    try:
        yield SimpleNamespace(**{name: __import__(name) for name in MODULES})
    finally:
        sys.path.remove(str(RECIPE))
        for name in MODULES:
            sys.modules.pop(name, None)


@pytest.fixture
def groove(recipe: SimpleNamespace) -> Any:
    return recipe.grooves.Groove(
        style="stdlib/waltz",
        name="WaltzSus",
        family="waltz",
        description="Add sustained strings to the waltz.",
        doc="A pretty basic 3/4 waltz.",
        author="Bob van der Poel",
        size=4,
        beats=3,
        metre="3/4",
        drums_only=False,
        ending="WaltzEnd",
        ending_size=2,
    )


@pytest.fixture
def facts() -> dict[str, Any]:
    return {
        "programs": [0, 32],
        "instruments": ["piano", "upright bass"],
        "drums": True,
        "kit": True,
        "percussion": ["hi-hat", "kick drum"],
        "onsets_per_second": 6.0,
        "drum_onsets_per_second": 3.0,
        "mean_velocity": 80,
        "mean_drum_velocity": 70,
        "bpm": 102,
        "notated_bpm": 102.0,
        "metre": "3/4",
        "tonic": "Bb",
        "mode": "minor",
        "style": ["waltz"],
    }


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Add sustained strings to EasySwing1.", ["with sustained strings"]),
        ("Organ chords and walking piano.", ["organ chords and walking piano"]),
        ("Same 6/8 blues, but with a walking bass.", ["with a walking bass"]),
        ("Main A - piano, organ, drums, bass.", ["piano, organ, drums, bass"]),
        ("Basic rhythm with apreggiating guitar.", ["with arpeggiating guitar"]),
        ("Main pattern.", []),
        ("Auto-generated 'Main A' sty/salsa1.sty", []),
        ("Who invited the violin guys to the blues party?", []),
        ("I use this with http://example.org songs (by me).", []),
    ],
)
def test_groove_lines_lose_their_asides(
    recipe: SimpleNamespace, written: str, kept: list[str]
) -> None:
    assert recipe.words.groove_words(written) == kept


def test_style_paragraphs_keep_only_what_describes_the_sound(recipe: SimpleNamespace) -> None:
    doc = (
        "Rock2 (041). Hard driving rock beat. Converted from Casio Wk-3000. "
        'Written for "Pretty Woman". See the library file basicrock.mma.'
    )
    assert recipe.words.style_words(doc) == ["hard driving rock beat"]


def test_author_words_go_where_the_sound_denies_them(
    recipe: SimpleNamespace, facts: dict[str, Any]
) -> None:
    phrases = recipe.captions.author_phrases
    assert phrases("Add sustained strings.", "", facts) == []
    assert phrases("Walking bass and piano.", "", facts) == ["walking bass and piano"]
    strings = facts | {"programs": [0, 32, 48]}
    assert phrases("Add sustained strings.", "", strings) == ["with sustained strings"]


def test_a_piano_clip_never_names_a_sound_it_lacks(
    recipe: SimpleNamespace, facts: dict[str, Any]
) -> None:
    absent = {"guitar", "strings", "organ", "sax", "synth", "major", "congas", "electronic", "4/4"}
    for seed in range(200):
        texts, kinds = recipe.captions.captions(
            facts, "Add sustained strings and guitar.", "", random.Random(seed)
        )
        assert 4 <= len(texts) == len(kinds) <= 6
        assert len({text.lower() for text in texts}) == len(texts)
        for text in texts:
            assert not absent & set(text.lower().replace(",", " ").split()), text
            assert "  " not in text
            assert " ," not in text


def test_captions_say_the_measured_tempo_and_key(
    recipe: SimpleNamespace, facts: dict[str, Any]
) -> None:
    texts = [
        text
        for seed in range(50)
        for text in recipe.captions.captions(facts, "", "", random.Random(seed))[0]
    ]
    assert any("102 bpm" in text for text in texts)
    assert any("B flat minor" in text for text in texts)
    assert not any("fast" in text.lower() or "slow" in text.lower() for text in texts)


@pytest.mark.parametrize(
    ("change", "word", "said"),
    [
        ({"bpm": 66, "drum_onsets_per_second": 1.0, "onsets_per_second": 3.0}, "calm", True),
        ({"bpm": 66, "drum_onsets_per_second": 1.0, "onsets_per_second": 3.0}, "sad", True),
        ({"bpm": 150, "drum_onsets_per_second": 8.0}, "energetic", True),
        ({"bpm": 150, "drum_onsets_per_second": 8.0}, "happy", False),
        ({"bpm": 150, "drum_onsets_per_second": 8.0, "mode": "major"}, "happy", True),
        ({"bpm": 150, "drum_onsets_per_second": 8.0}, "calm", False),
    ],
)
def test_mood_words_need_measured_grounds(
    recipe: SimpleNamespace, facts: dict[str, Any], change: dict[str, Any], word: str, said: bool
) -> None:
    assert (word in recipe.hearing.moods(facts | change)) is said


def test_every_family_is_in_one_split_and_splits_are_about_right(recipe: SimpleNamespace) -> None:
    counts = {f"family-{n}": random.Random(n).randint(5, 120) for n in range(140)}
    splits = recipe.plan.split_families(counts)
    assert splits.keys() == counts.keys()
    assert splits == recipe.plan.split_families(dict(reversed(counts.items())))
    total = sum(counts.values())
    for split in ("val", "test"):
        share = sum(counts[name] for name in counts if splits[name] == split) / total
        assert 0.08 < share < 0.13


def test_no_style_file_belongs_to_two_families(recipe: SimpleNamespace) -> None:
    table = recipe.grooves.families()
    files = Counter(file for family in table.values() for file in family.files)
    assert max(files.values()) == 1
    kinds = {kind for entry in recipe.songs.PROGRESSIONS.values() for kind in entry[1]}
    assert {kind for family in table.values() for kind in family.chords} <= kinds


def test_a_row_depends_on_nothing_but_itself(recipe: SimpleNamespace, groove: Any) -> None:
    family = recipe.grooves.families()["waltz"]
    song = recipe.songs.compose(groove, family, 1, seed=7)
    assert song == recipe.songs.compose(groove, family, 1, seed=7)
    assert song != recipe.songs.compose(groove, family, 2, seed=7)
    assert song != recipe.songs.compose(groove, family, 1, seed=8)

    table = {"waltz": family}
    other = replace(groove, name="Waltz")
    alone = recipe.plan.jobs([groove], table, 4, 7, Path("out"))
    beside = recipe.plan.jobs([other, groove], table, 4, 7, Path("out"))
    assert {job.id for job in alone} & {job.id for job in beside}
    assert [job.variation for job in beside] == sorted(job.variation for job in beside)


@pytest.mark.parametrize("beats", [2, 3, 4, 5, 6])
def test_a_song_lasts_20_to_25_seconds(recipe: SimpleNamespace, groove: Any, beats: int) -> None:
    for name, family in recipe.grooves.families().items():
        song = recipe.songs.compose(replace(groove, beats=beats, family=name), family, 0, seed=1)
        written = recipe.songs.song_text(replace(groove, beats=beats), song)
        bars = [line for line in written.splitlines() if line[0].isdigit()]
        tempo = next(line for line in written.splitlines() if line.startswith("Tempo"))
        seconds = len(bars) * beats * 60 / float(tempo.split()[1])
        assert 20 <= seconds <= 25, name
        assert all(len(bar.split()) in (2, beats + 1) for bar in bars)


def test_chords_move_with_their_key(recipe: SimpleNamespace) -> None:
    transpose = recipe.songs.transpose
    assert transpose("Bm7b5", 3, flats=True) == "Dm7b5"
    assert transpose("Bb", 2, flats=False) == "C"
    assert transpose("G7", 1, flats=True) == "Ab7"
    with pytest.raises(ValueError, match="not a chord"):
        transpose("H", 1, flats=False)


def test_swapped_sounds_keep_their_part(recipe: SimpleNamespace) -> None:
    rng = random.Random(0)
    assert len(recipe.midi.GM) == 128
    for program in range(32, 40):
        assert recipe.midi.swap_for(program, rng) in range(32, 40)
        assert recipe.midi.swap_for(program, rng) != program


@pytest.mark.skipif(
    not (shutil.which("mma") and shutil.which("fluidsynth")),
    reason="needs Debian's mma, fluidsynth, fluid-soundfont-gm and timgm6mb-soundfont",
)
def test_two_clips_rendered_for_real(
    recipe: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import soundfile

    family = replace(recipe.grooves.families()["bossa"], files=("stdlib/bossanova",))
    monkeypatch.setattr(recipe.build, "families", lambda: {"bossa": family})
    monkeypatch.setattr(
        sys, "argv", ["build.py", str(tmp_path), "--clips", "2", "--jobs", "1", "--seed", "3"]
    )
    recipe.build.main()

    rows = [json.loads(line) for line in (tmp_path / "manifest.jsonl").open()]
    assert len(rows) == 2
    for row in rows:
        sound, rate = soundfile.read(tmp_path / row["audio"])
        assert rate == 16_000
        assert sound.ndim == 1
        assert len(sound) / rate == pytest.approx(row["duration"], abs=0.05)
        assert 20 <= row["duration"] <= 25
        assert 0.2 < abs(sound).max() < 1
        assert row["facts"]["instruments"]
        assert row["source"]["style_file"] == "stdlib/bossanova"
        assert len(row["caption"]) == len(row["caption_kind"]) >= 4

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "audio").iterdir()}
    recipe.build.main()
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "audio").iterdir()}
