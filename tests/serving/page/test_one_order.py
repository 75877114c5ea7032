"""Whoever asks gets the same: Python, the command line, the API and the page."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import expect

from muscall import Library, MusCALL

SOUNDS = ("calm piano", "fast electronic music", "Song number 7", "folk", "")
REST = (
    "", "by Artist 2", "from the 90s", "no drums", "without Artist 1", "under 12 seconds",
    "like Song number 3", "between 1995 and 2010", "by Artst 3, no vocals", "over 9 seconds",
)  # fmt: skip
SENTENCES = [f"{sound} {rest}".strip() for sound, rest in product(SOUNDS, REST)]
SENTENCES[SENTENCES.index("")] = "something slow"
COMMAND = """
import contextlib, io, json, sys
from muscall.cli import main

found = []
for sentence in json.load(sys.stdin):
    sys.argv = ["muscall", "search", sentence, "-n", "12", "--json", *sys.argv[-4:]]
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        main()
    found.append([hit["key"] for hit in json.loads(out.getvalue())["results"]])
print(json.dumps(found))
"""


def test_all_ways_give_one_order(
    visit,
    address: str,
    made: bool,
    library_folder: Path,
    tiny_model: MusCALL,
    tiny_checkpoint: Path,
) -> None:
    if not made:
        pytest.skip("of the library that is made here")
    assert len(SENTENCES) == len(set(SENTENCES)) == 50
    library = Library(library_folder, tiny_model)
    python = [[hit.key for hit in library.search(sentence, n=12)] for sentence in SENTENCES]
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "--library", library_folder, "--model", tiny_checkpoint],
        input=json.dumps(SENTENCES), capture_output=True, text=True, check=True, env=os.environ,
    )  # fmt: skip
    assert json.loads(done.stdout) == python
    page = visit()
    for sentence, keys in zip(SENTENCES, python, strict=True):
        answer = page.request.get(f"{address}/v1/search", params={"text": sentence, "n": 12})
        assert [one["track"]["key"] for one in answer.json()["results"]] == keys, sentence
    for sentence, keys in list(zip(SENTENCES, python, strict=True))[::8]:
        page = visit(f"/?q={sentence}")
        rows = page.locator(".results .track")
        expect(rows).to_have_count(len(keys))
        expect(page).to_have_title(re.compile("muscall"))
        assert rows.evaluate_all("rows => rows.map(row => row.dataset.key)") == keys
