"""The requests that the search is measured on, and how answers are scored."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
import yaml

from muscall import Library, MusCALL
from recipes.evaluate import queries
from recipes.evaluate.collection import names_in_scripts
from recipes.evaluate.make_queries import QUERIES, Collection, halved, name_queries, with_a_slip

TRACKS = Path(queries.__file__).parent.parent / "corpus/dev/tracks.yaml"


def test_the_requests_have_answers_among_the_tracks() -> None:
    lines = [json.loads(line) for line in QUERIES.read_text().splitlines()]
    assert len(lines) >= 400
    packages = yaml.safe_load(TRACKS.read_text())["packages"].values()
    tracks = {track for entry in packages for track in entry["tracks"]} | {*names_in_scripts()}
    for line in lines:
        answers = line.get("relevant") or line.get("unwanted") or line["where"]
        assert answers
        if isinstance(answers, list):
            assert tracks.issuperset(answers)
        if "among" in line:
            assert set(answers) < set(line["among"])
    halves = Counter((line["kind"], line["half"]) for line in lines)
    assert all(halves[kind, half] >= 5 for kind, _ in halves for half in ("choosing", "final"))


def test_answers_are_scored(tiny_model: MusCALL, tmp_path: Path) -> None:
    songs = [("Drascula", "Prologue", "2004"), ("Drascula; Ann", "Rain", "2016")]
    paths = [tmp_path / "songs" / f"{number}.flac" for number in range(2)]
    for number, (path, (artist, title, year)) in enumerate(zip(paths, songs, strict=True)):
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, np.random.default_rng(number).normal(0, 0.1, 32_000), 16_000)
        file = mutagen.File(path, easy=True)
        file["artist"], file["title"], file["date"] = artist, title, year
        file.save()
    library = Library(tmp_path / "library", tiny_model)
    library.index([tmp_path / "songs"])
    rows = library.store.tracks(library.embedding_version).to_arrow().to_pylist()  # type: ignore[union-attr]
    table = {Path(row["path"]).stem: row for row in rows}
    made = halved(
        name_queries(Collection(paths), np.random.default_rng(0)), np.random.default_rng(0)
    )
    assert {line["kind"] for line in made} >= {"artist, exact", "title, misspelt", "name, unwanted"}
    for line in made:
        right = 0 if "unwanted" in line else 1
        assert queries.score(library, table, line) == right, line
    for line, score in (
        ({"kind": "year, exactly", "query": "from 2004", "where": {"year": [2004, 2004]}}, 1),
        ({"kind": "year, exactly", "query": "from 2004", "where": {"year": [2004, None]}}, 0),
        ({"kind": "artist, exact", "query": "Ann", "relevant": ["0"]}, 0),
        ({"kind": "sound and name", "query": "Ann", "relevant": ["1"], "among": ["0", "1"]}, 1),
        ({"kind": "sound and name", "query": "Ann", "relevant": ["0"], "among": ["0", "1"]}, 0.5),
    ):
        assert queries.score(library, table, line) == pytest.approx(score)


def test_a_slip_is_one_letter() -> None:
    draw = np.random.default_rng(0)
    for _ in range(100):
        assert abs(len(with_a_slip("Drascula", draw)) - 8) <= 1
