"""A library that a published CLAP model listens to, from indexing to the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from muscall import Library, MusCALL, load
from muscall.data.manifest import read_manifest
from muscall.evaluation.labelling import Labelling, evaluate_zeroshot
from muscall.evaluation.probe import evaluate_probe
from muscall.evaluation.retrieval import evaluate_retrieval
from muscall.library.store import NothingIndexed
from muscall.serving.app import build

MakeClap = Callable[..., Path]


@pytest.fixture(scope="module")
def clap(make_clap: MakeClap) -> MusCALL:
    return load(make_clap())


def test_it_is_indexed_searched_described_and_served(
    clap: MusCALL, tiny_model: MusCALL, make_clap: MakeClap, songs: Path, tmp_path: Path
) -> None:
    library = Library(tmp_path / "library", make_clap())
    assert library.index(songs, workers=1).added == 4
    found = library.search("calm solo piano")
    assert len(found) == 4
    heard = clap.encode_audio(songs / "a.flac")[0]
    np.testing.assert_allclose(library.embedding(songs / "a.flac"), heard, atol=1e-4)
    assert songs / "a.flac" not in [hit.path for hit in library.similar(songs / "a.flac")]
    assert {label.kind for label in library.describe(songs / "a.flac")}
    assert len(list(library.tags())) == 4
    assert library.duplicates().copies == []
    app = build(library, cache=tmp_path / "cache", page=False)
    with TestClient(app, base_url="http://127.0.0.1:8765") as client:
        served = client.get("/v1/search", params={"text": "calm solo piano"}).json()["results"]
        assert [one["track"]["path"] for one in served] == [str(hit.path) for hit in found]
        assert len(client.get("/v1/map").json()) == 4
    # Another model's vectors lie beside these, and neither searches the other's.
    other = Library(tmp_path / "library", tiny_model)
    with pytest.raises(NothingIndexed):
        other.search("calm solo piano")
    assert other.index(workers=1).added == 4
    assert [hit.path for hit in library.search("calm solo piano")] == [hit.path for hit in found]


def test_it_is_evaluated(clap: MusCALL, songs: Path, tmp_path: Path) -> None:
    rows = [
        {"audio": str(path), "id": f"{split}{path.stem}", "split": split}
        | {"caption": f"song {path.stem}", "label": "calm" if path.stem in "ab" else "loud"}
        for split in ("train", "val", "test")
        for path in sorted(songs.glob("*.flac"))
    ]
    manifest = tmp_path / "rows.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    captioned = read_manifest(manifest, split="test")
    assert evaluate_retrieval(clap, captioned).items == 4
    labelled = read_manifest(manifest, needs="labels")
    shown = evaluate_zeroshot(clap, labelled, Labelling.of(labelled), {"plain": "{label}"})
    assert shown.items == 12
    for features in (False, True):
        probed = evaluate_probe(clap, labelled, features=features)
        assert probed.scores["linear probe"]["accuracy"].value == 100  # splits share their files
