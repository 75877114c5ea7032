import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from muscall import MusCALL
from muscall.errors import MuscallError
from muscall.library.embedding import Collection, embed_files
from muscall.library.search.folders import rank_collection, search
from muscall.writing import written_aside


@pytest.fixture
def some_broken(music: Path, tmp_path: Path) -> Path:
    shutil.copytree(music, tmp_path, dirs_exist_ok=True)
    (tmp_path / "1.wav").write_bytes(b"not audio at all")
    (tmp_path / "2.wav").write_bytes(b"")
    return tmp_path


def test_search_orders_by_cosine_similarity(tiny_model: MusCALL, music: Path) -> None:
    hits, failures = search(tiny_model, "a low tone", [music])
    assert not failures
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    together = [hit for top in hits for hit in (top, *top.versions)]
    assert {hit.path for hit in together} == set(music.rglob("*.wav"))
    embeddings = tiny_model.encode_audio([hit.path for hit in hits])
    expected = embeddings @ tiny_model.encode_text(["a low tone"])[0]
    np.testing.assert_allclose([hit.score for hit in hits], expected, atol=1e-6)
    assert sorted(expected, reverse=True) == pytest.approx(expected)


def test_search_takes_files_and_folders_and_returns_n(tiny_model: MusCALL, music: Path) -> None:
    hits, _ = search(tiny_model, "a tone", [music / "0.wav", music / "below"], n=1)
    assert len(hits) == 1
    assert hits[0].path in {music / "0.wav", music / "below" / "4.wav"}


def test_relative_scores_run_from_the_mean_to_the_best(tiny_model: MusCALL, music: Path) -> None:
    query = tiny_model.encode_text(["a tone"])[0]
    away = np.roll(query, 1) - query * (query @ np.roll(query, 1))
    away /= np.linalg.norm(away)
    angles = np.linspace(0, np.pi / 2, 5)[:, None]
    embeddings = (np.cos(angles) * query + np.sin(angles) * away).astype(np.float32)
    paths = sorted(music.rglob("*.wav"))
    hits = rank_collection(tiny_model, "a tone", Collection(paths, embeddings, []), 5)
    assert [hit.path for hit in hits] == paths
    assert hits[0].relative_score == 1
    assert 0 < hits[1].relative_score < 1
    assert [hit.relative_score for hit in hits[3:]] == [0, 0]


def test_a_single_track_is_the_best(tiny_model: MusCALL, music: Path) -> None:
    (hit,), _ = search(tiny_model, "a tone", [music / "0.wav"])
    assert (hit.rank, hit.relative_score) == (1, 1)


def test_names_and_negations_count_as_in_a_library(tiny_model: MusCALL, music: Path) -> None:
    folder = shutil.copytree(music, music.parent / "named")
    (folder / "0.wav").rename(folder / "drascula_prologue.wav")
    first, *_ = search(tiny_model, "drascula", folder)[0]
    assert first.path.name == "drascula_prologue.wav"
    assert first.keyword_match
    without, _ = search(tiny_model, "a tone, no drascula", folder)
    assert [str(part) for part in without.understood] == ["sound: a tone", "without: drascula"]
    found = [hit.path.name for top in without for hit in (top, *top.versions)]
    assert sorted(found) == ["1.wav", "2.wav", "3.wav", "4.wav"]


def test_unreadable_files_are_reported_and_the_rest_goes_on(
    tiny_model: MusCALL, music: Path, some_broken: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "muscall"):
        collection = embed_files(tiny_model, [some_broken])
    assert {failure.path.name for failure in collection.failures} == {"1.wav", "2.wav"}
    assert [record.getMessage() for record in caplog.records] == [
        str(failure) for failure in collection.failures
    ]
    names = [path.name for path in collection.paths]
    assert names == ["0.wav", "3.wav", "4.wav"]
    expected = tiny_model.encode_audio(
        [music / "0.wav", music / "3.wav", music / "below" / "4.wav"]
    )
    np.testing.assert_array_equal(collection.embeddings, expected)


def test_progress_counts_every_file(tiny_model: MusCALL, some_broken: Path) -> None:
    seen: list[tuple[int, int]] = []
    search(
        tiny_model, "a tone", [some_broken], progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(done, 5) for done in range(1, 6)]


def test_nothing_to_search(tiny_model: MusCALL, tmp_path: Path) -> None:
    for paths in ([tmp_path], tmp_path, str(tmp_path)):
        with pytest.raises(MuscallError, match=f"no music in {tmp_path}$"):
            search(tiny_model, "a tone", paths)
    with pytest.raises(MuscallError, match="no such file"):
        search(tiny_model, "a tone", [tmp_path / "missing"])
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    with pytest.raises(MuscallError, match="none of 1 files"):
        search(tiny_model, "a tone", [tmp_path])


def test_empty_query(tiny_model: MusCALL, music: Path) -> None:
    with pytest.raises(MuscallError, match="empty"):
        search(tiny_model, " \n", [music / "0.wav"])


def test_written_collection_keeps_every_name(tmp_path: Path) -> None:
    names = [b"plain", b"new\nline", b"\xff\xfe", "🎵".encode()]
    paths = [Path(os.fsdecode(name)) for name in names]
    embeddings = np.eye(4, 3, dtype=np.float32)
    with written_aside(tmp_path / "out") as file:
        Collection(paths, embeddings, []).write(file)
    with np.load(tmp_path / "out") as stored:
        assert [os.fsencode(path) for path in stored["paths"]] == names
        assert stored["paths"].dtype.kind == "U"
        assert stored["embeddings"].dtype == np.float32
        np.testing.assert_array_equal(stored["embeddings"], embeddings)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
