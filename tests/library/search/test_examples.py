"""Music to compare with: how it is named, and when the library need not listen to it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from muscall import Library, MusCALL
from muscall.errors import AudioError, MuscallError, NotFound
from muscall.library.audio_hash import audio_hash
from muscall.library.embedding_version import embedding_version_of
from muscall.library.indexing.batch import Batch, Track
from muscall.library.indexing.writer import writing
from muscall.library.scan import path_text
from muscall.library.search.examples import Example, Examples
from muscall.library.store import File, Store
from muscall.models.inference import Segment

Sing = Callable[..., Path]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("song.flac", None, None),
        ("song.flac@1:05-1:20", 65, 80),
        ("song.flac@65-80", 65, 80),
        ("song.flac@1:05", 65, 80),
        ("song.flac@0", 0, 15),
        ("song.flac@1:00:00.5-1:00:02", 3600.5, 3602),
    ],
)
def test_a_passage_is_named_behind_the_file(
    text: str, start: float | None, end: float | None
) -> None:
    assert Example.parse(text) == Example(Path("song.flac"), start, end)
    assert Example.parse(Path(text)) == Example.parse(text)
    assert Example.parse(Example.parse(text)) == Example.parse(text)


def test_what_is_the_name_of_a_file_is_that_file(tmp_path: Path) -> None:
    for name in ("live@1:05", "a@b.flac", "@", os.fsdecode(b"\xff@3")):
        path = tmp_path / name
        path.touch()
        assert Example.parse(path) == Example(path)
        assert Example.parse(f"{path}@2-3") == Example(path, 2, 3)
    assert Example.parse("a@b.flac") == Example(Path("a@b.flac"))


def test_a_title_stands_for_its_track(library: Library, songs: Path, sing: Sing) -> None:
    quiet = sing(songs / "Quiet Evening.flac", 300, 3)
    sing(songs / "Quiet Evening at home.flac", 900, 3)
    library.index([songs], workers=1)
    expected = library.similar(quiet)
    assert expected
    assert library.similar("quiet evening") == expected
    with pytest.raises(NotFound, match="loud evening: no such file, and no track is called so"):
        library.similar("loud evening")
    with pytest.raises(AudioError, match=r"Quiet.flac: no such file"):
        library.similar("Quiet.flac")


@pytest.mark.parametrize("text", ["song.flac@1:20-1:05", "song.flac@3-3", "song.flac@0-0"])
def test_an_empty_passage_is_an_error(text: str) -> None:
    with pytest.raises(MuscallError, match=r"song.flac: no passage from [\d.]+ to [\d.]+ s"):
        Example.parse(text)


@pytest.mark.parametrize(
    ("start", "end"), [(None, 0), (None, -1), (-1, None), (3, 3), (3, 2), (float("nan"), 3)]
)
def test_a_passage_without_a_beginning_or_end_is_checked_too(
    start: float | None, end: float | None
) -> None:
    with pytest.raises(MuscallError, match=r"song.flac: no passage from \S+ to \S+ s$"):
        Example(Path("song.flac"), start, end)


def unit(generator: np.random.Generator, dim: int) -> np.ndarray:
    vector = generator.normal(size=dim)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


@pytest.fixture
def song(sing: Sing, tmp_path: Path) -> Path:
    return sing(tmp_path / "song.flac", 1, seconds=5)


@pytest.fixture
def track(song: Path, tiny_model: MusCALL) -> Track:
    """A track for `song` with vectors that no listening gives."""
    generator = np.random.default_rng(0)
    dim = tiny_model.config.dim
    windows = [(start, 2.0, unit(generator, dim)) for start in (0.0, 2.0, 3.0)]
    row = {
        "key": audio_hash(song), "path": str(song), "root": str(song.parent), "duration": 5.0,
        "offline": False, "added": datetime.now(UTC), "windows": 3,
        "vector": unit(generator, dim), "title": "Song", "artist": "", "album": "", "genre": "",
        "year": None, "bpm": None,
    }  # fmt: skip
    return Track(row, windows)


@pytest.fixture
def examples(song: Path, track: Track, tmp_path: Path, tiny_model: MusCALL) -> Examples:
    store, embedding_version = Store(tmp_path / "library"), embedding_version_of(tiny_model)
    status = song.stat()
    file = File(
        path_text(song), str(song.parent), status.st_size, status.st_mtime_ns,
        track.row["key"], None, "present",
    )  # fmt: skip
    with writing(store, embedding_version, tiny_model.config.dim) as writer:
        writer.commit(Batch(tracks=[track], files={file.path: file}))
    return Examples(Library(store.folder, tiny_model))


def test_a_track_of_the_library_is_not_listened_to(
    examples: Examples, song: Path, track: Track, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copy(song, tmp_path / "elsewhere.flac"))
    monkeypatch.chdir(tmp_path)
    for path in (song, Path("song.flac"), copy):
        (sound,) = examples.of(path)
        assert sound.key == track.row["key"]
        np.testing.assert_array_equal(sound.vector, track.row["vector"])
    song.unlink()  # a drive that is not there
    np.testing.assert_array_equal(examples.of(song)[0].vector, track.row["vector"])


def test_other_sound_is_listened_to(
    examples: Examples, sing: Sing, song: Path, track: Track, tmp_path: Path, tiny_model: MusCALL
) -> None:
    for path in (sing(tmp_path / "other.flac", 2), sing(song, 3)):
        (sound,) = examples.of(path)
        assert sound.key == audio_hash(path) != track.row["key"]
        np.testing.assert_allclose(sound.vector, tiny_model.encode_audio([path])[0], atol=1e-6)


def test_a_passage_is_what_the_windows_in_it_are_where_they_cover_it(
    examples: Examples, song: Path, track: Track, tiny_model: MusCALL
) -> None:
    vectors = [vector.astype(np.float16).astype(np.float64) for _, _, vector in track.windows]
    for start, end, chosen in ((2, 4, vectors[1:2]), (0, 4.2, vectors[:2]), (2, 5, vectors[1:])):
        expected = np.sum(chosen, axis=0) / np.linalg.norm(np.sum(chosen, axis=0))
        (sound,) = examples.of(Example(song, start, end))
        assert sound.key == track.row["key"]
        np.testing.assert_allclose(sound.vector, expected, atol=1e-6)
    for start, end in ((1.0, 3.0), (0.0, 3.0), (3.5, None)):
        part = Segment(song, start, None if end is None else end - start)
        heard = tiny_model.encode_audio([part])[0]
        np.testing.assert_allclose(
            examples.of(Example(song, start, end))[0].vector, heard, atol=1e-6
        )


def test_many_come_in_their_order_and_those_that_cannot_be_read_too(
    examples: Examples, sing: Sing, song: Path, track: Track, tmp_path: Path, tiny_model: MusCALL
) -> None:
    (tmp_path / "text.flac").write_text("no sound")
    new = [sing(tmp_path / f"{seed}.flac", seed) for seed in (2, 3)]
    paths = [new[0], tmp_path / "none.flac", song, tmp_path / "text.flac", new[1], song]
    found = list(examples.sounds(paths))
    assert [path for path, _ in found] == paths
    sounds = [sound for _, sound in found]
    assert isinstance(sounds[1], AudioError)
    assert isinstance(sounds[3], AudioError)
    heard = tiny_model.encode_audio(new)
    expected = [heard[0], track.row["vector"], heard[1], track.row["vector"]]
    for place, vector in zip((0, 2, 4, 5), expected, strict=True):
        np.testing.assert_allclose(sounds[place].vector, vector, atol=1e-6)


def test_what_cannot_be_read_is_an_error(examples: Examples, song: Path, tmp_path: Path) -> None:
    for example, says in (
        (Example(tmp_path / "none.flac"), "none.flac: no such file"),
        (Example(tmp_path / "none.flac", 1, 2), "none.flac: no such file"),
        (Example(song, 60, 75), r"ends before 60.00 s"),
    ):
        with pytest.raises(AudioError, match=says):
            examples.of(example)


def test_what_is_not_there_is_told_before_the_model_is_loaded(song: Path, tmp_path: Path) -> None:
    examples = Examples(Library(tmp_path / "library", "no/such/model"))
    with pytest.raises(AudioError, match=r"none\.flac: no such file"):
        examples.of(song, f"{tmp_path}/none.flac@0:10")


def test_no_library_is_needed_to_listen(song: Path, tmp_path: Path, tiny_model: MusCALL) -> None:
    vector = Library(tmp_path / "none", tiny_model).embedding(song)
    np.testing.assert_allclose(vector, tiny_model.encode_audio([song])[0], atol=1e-6)
    assert not (tmp_path / "none").exists()
