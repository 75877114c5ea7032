"""The corpus's grooves: their words, songs and tunes, and clips rendered for real."""

from __future__ import annotations

import ctypes.util
import json
import random
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

if ctypes.util.find_library("fluidsynth") is None:
    pytest.skip("needs Debian's libfluidsynth3", allow_module_level=True)

from recipes.corpus import build, grooves, midi
from recipes.corpus.captions import authors, claims
from recipes.corpus.captions import facts as words
from recipes.corpus.captions.grooves import author_phrases, captions
from recipes.corpus.grooves import library, melody, songs


@pytest.fixture
def groove() -> Any:
    return library.Groove(
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
def test_groove_lines_lose_their_asides(written: str, kept: list[str]) -> None:
    assert authors.groove_words(written) == kept


def test_style_paragraphs_keep_only_what_describes_the_sound() -> None:
    doc = (
        "Rock2 (041). Hard driving rock beat. Converted from Casio Wk-3000. "
        'Written for "Pretty Woman". See the library file basicrock.mma.'
    )
    assert authors.style_words(doc) == ["hard driving rock beat"]


def test_author_words_go_where_the_sound_denies_them(facts: dict[str, Any]) -> None:
    phrases = author_phrases
    assert phrases("Add sustained strings.", "", facts) == []
    assert phrases("Walking bass and piano.", "", facts) == ["walking bass and piano"]
    strings = facts | {"programs": [0, 32, 48]}
    assert phrases("Add sustained strings.", "", strings) == ["with sustained strings"]


def test_a_piano_clip_never_names_a_sound_it_lacks(facts: dict[str, Any]) -> None:
    absent = {"guitar", "strings", "organ", "sax", "synth", "major", "congas", "electronic", "4/4"}
    for seed in range(200):
        texts, kinds = captions(facts, "Add sustained strings and guitar.", "", random.Random(seed))
        assert 4 <= len(texts) == len(kinds) <= 6
        assert len({text.lower() for text in texts}) == len(texts)
        for text in texts:
            assert not absent & set(text.lower().replace(",", " ").split()), text
            assert "  " not in text
            assert " ," not in text


def test_captions_say_the_measured_tempo_and_key(facts: dict[str, Any]) -> None:
    texts = [text for seed in range(50) for text in captions(facts, "", "", random.Random(seed))[0]]
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
    facts: dict[str, Any], change: dict[str, Any], word: str, said: bool
) -> None:
    assert (word in words.moods(facts | change)) is said


def test_no_style_file_belongs_to_two_families() -> None:
    table = library.families()
    files = Counter(file for family in table.values() for file in family.files)
    assert max(files.values()) == 1
    kinds = {kind for entry in songs.PROGRESSIONS.values() for kind in entry[1]}
    assert {kind for family in table.values() for kind in family.chords} <= kinds


def test_a_row_depends_on_nothing_but_itself(groove: Any) -> None:
    family = library.families()["waltz"]
    song = songs.compose(groove, family, 1, seed=7)
    assert song == songs.compose(groove, family, 1, seed=7)
    assert song != songs.compose(groove, family, 2, seed=7)
    assert song != songs.compose(groove, family, 1, seed=8)


def test_variations_are_spread_and_bounded(groove: Any) -> None:
    many = [replace(groove, style="stdlib/rock", name=f"Rock{n}") for n in range(12)]
    loops = [replace(groove, style="zoom/rock", name=f"R{n}", drums_only=True) for n in range(3)]
    numbers = grooves.allot([groove, *many, *loops], 60)
    assert numbers["stdlib/rock"] == 2
    assert numbers["zoom/rock"] <= 4
    assert 2 < numbers["stdlib/waltz"] <= 24
    huge = grooves.allot([groove, *many, *loops], 10_000)
    assert max(huge.values()) == 24
    assert huge["zoom/rock"] == 4


@pytest.mark.parametrize("beats", [2, 3, 4, 5, 6])
def test_a_song_lasts_20_to_25_seconds(groove: Any, beats: int) -> None:
    for name, family in library.families().items():
        song = songs.compose(replace(groove, beats=beats, family=name), family, 0, seed=1)
        written = songs.song_text(replace(groove, beats=beats), song)
        bars = [line for line in written.splitlines() if line[0].isdigit()]
        tempo = next(line for line in written.splitlines() if line.startswith("Tempo"))
        seconds = len(bars) * beats * 60 / float(tempo.split()[1])
        assert 20 <= seconds <= 25, name
        assert all(len(bar.split()) in (2, beats + 1) for bar in bars)


def test_chords_move_with_their_key() -> None:
    transpose = songs.transpose
    assert transpose("Bm7b5", 3, flats=True) == "Dm7b5"
    assert transpose("Bb", 2, flats=False) == "C"
    assert transpose("G7", 1, flats=True) == "Ab7"
    with pytest.raises(ValueError, match="not a chord"):
        transpose("H", 1, flats=False)


def test_swapped_sounds_keep_their_part() -> None:
    rng = random.Random(0)
    assert len(midi.GM) == 128
    for program in range(32, 40):
        assert midi.swap_for(program, rng) in range(32, 40)
        assert midi.swap_for(program, rng) != program


def test_a_tune_keeps_to_the_chords_and_breathes(groove: Any) -> None:
    table = library.families()
    rests, tunes = [], set()
    for number, family in enumerate(table.values()):
        beats = 3 if "waltz" in family.name else 4
        song = songs.compose(replace(groove, beats=beats), family, number, seed=1)
        lead = melody.lead_for(family, set(), random.Random(number))
        notes = melody.tune(song, beats, lead, random.Random(number))
        tunes.add(tuple(note.pitch for note in notes))
        assert len(notes) >= song.bars // 3
        assert [note.start for note in notes] == sorted(note.start for note in notes)
        assert notes[-1].start + notes[-1].length <= song.bars * beats + 1e-6
        ends = [note.start + note.length for note in notes[:-1]]
        assert all(e <= n.start + 1e-6 for e, n in zip(ends, notes[1:], strict=True)), family.name
        assert all(36 <= note.pitch <= 100 and 1 <= note.velocity <= 127 for note in notes)
        rests.append(1 - sum(note.length for note in notes) / (song.bars * beats))
        on_first = [note for note in notes if note.start % beats == 0]
        for note in on_first:
            chord = song.chords[int(note.start // beats)][0]
            assert note.pitch % 12 in melody.chord_tones(chord), (family.name, chord, note)
    assert len(tunes) == len(table)
    assert 0.1 < sum(rests) / len(rests) < 0.6


def test_every_chord_of_every_progression_is_known() -> None:
    chords = {
        chord
        for _, _, text in songs.PROGRESSIONS.values()
        for bar in text.split("|")
        for chord in bar.split()
    }
    for chord in chords:
        assert len(melody.chord_tones(chord)) >= 3
    assert melody.chord_tones("Bbm7") == (10, 1, 5, 8)
    with pytest.raises(ValueError, match="not a chord"):
        melody.chord_tones("C7alt")


def test_a_tune_gets_a_channel_of_its_own() -> None:
    import mido

    note = melody.Note(2.0, 1.0, 72, 90)
    score = mido.MidiFile(ticks_per_beat=192)
    track = mido.MidiTrack(
        mido.Message("note_on", channel=channel, note=50, velocity=9, time=0)
        for channel in range(15)
    )
    score.tracks.append(track)
    melody.lay_over(score, [note], 40)
    assert {m.channel for m in score.tracks[-1]} == {15}
    with pytest.raises(ValueError, match="no channel is free"):
        melody.lay_over(score, [note], 40)


def test_a_tune_is_named_only_where_there_is_one(facts: dict[str, Any]) -> None:
    def said(some: dict[str, Any]) -> str:
        drawn = (captions(some, "", "", random.Random(n))[0] for n in range(80))
        return " ".join(text.lower() for texts in drawn for text in texts)

    told = facts | {"programs": [65, 0, 32], "instruments": ["alto sax", "piano", "upright bass"]}
    led = re.compile(r"\bsax(ophone)? (melody|solo|over|tune)|led by an? (alto )?sax")
    assert led.search(said(told | {"lead": "alto sax"}))
    assert not re.search(r"melody|solo|led by|the tune|the lead", said(told | {"lead": None}))


def test_uses_need_grounds(facts: dict[str, Any]) -> None:
    still = {"bpm": 66, "drum_onsets_per_second": 0.0, "onsets_per_second": 3.0, "kit": False}
    assert "to relax to" in words.uses(facts | still)
    assert "for dancing" in words.uses(facts)
    assert words.uses(facts | {"style": ["ballad"]}) == []


# mma is asked for the grooves of every style of the table, a minute's work: here of a few.
BUILD = """
from recipes.corpus import build, grooves

some = dict(list(grooves.families().items())[:40:10])
grooves.families = lambda: some
build.main()
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Rows of a corpus of ten grooves, rendered for real with the two small SoundFonts."""
    place = tmp_path_factory.mktemp("corpus")
    (place / "plan.yaml").write_text(
        "seed: 3\nparts:\n  grooves: {clips: 10, melody: 1.0}\n"
        "splits: {test: 1, val: 1}\nsoundfonts: [TimGM6mb, GMbank]\n"
    )
    # The packages that were fetched already serve here too; the list of grooves does not.
    (build.CACHE / "debian").mkdir(parents=True, exist_ok=True)
    (place / "cache").mkdir()
    (place / "cache" / "debian").symlink_to(build.CACHE / "debian")
    script = [sys.executable, "-c", BUILD, str(place / "out"), "--cache", str(place / "cache")]
    done = subprocess.run(
        [*script, "--plan", str(place / "plan.yaml"), "--jobs", "2"], capture_output=True, text=True
    )
    if "left out" in done.stderr or (done.returncode and "apt-get" in done.stderr):
        pytest.skip(f"needs Debian's packages: {done.stderr}")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (place / "out" / "manifest.jsonl").open()]


def test_clips_rendered_for_real(built: list[dict[str, Any]]) -> None:
    assert len(built) == 10
    assert any(row["facts"]["lead"] for row in built)
    for row in built:
        facts = row["facts"]
        assert 20 <= row["duration"] <= 25
        assert facts["instruments"] or facts["percussion"]
        assert row["source"]["package"] == "mma"
        assert len(row["caption"]) == len(row["caption_kind"]) >= 4
        assert facts["lead"] is None or facts["lead"] in facts["instruments"]
        assert {font["name"] for font in facts["soundfonts"]} <= {"TimGM6mb", "GMbank"}


def test_rendered_captions_name_no_instrument_that_is_not_there(
    built: list[dict[str, Any]],
) -> None:
    told = 0
    for row in built:
        for text in row["caption"]:
            # A style's own name is no claim: steel drums are not heard in "metal drums".
            bare = text
            for style in row["facts"]["style"]:
                bare = re.sub(re.escape(style), "", bare, flags=re.IGNORECASE)
            assert claims.agrees(bare, row["facts"]), (row["id"], text)
            told += 1
    assert told >= 40
