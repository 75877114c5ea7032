"""Draw pairs of the open corpus, and put their log-mels and tokens into a folder.

    python -m recipes.paper.prepare corpora/open runs/paper

1,000 clips to search and 300 to validate on, drawn by the hash of their ids, each of a source
track of its own: a groove, a piece, a module, a recording. No other clip of these tracks is
trained on. Their caption is the longest of theirs, which says most.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

from muscall.audio.decode import read
from muscall.audio.mel import LogMel
from muscall.audio.mel_config import MelConfig
from muscall.audio.windows import centre_start, loop_to
from muscall.evaluation.zeroshot import ENSEMBLE
from muscall.models.config import SentenceConfig
from muscall.models.sentence import SentenceEncoder
from muscall.models.wordvectors import read_vectors
from muscall.text.tokenizer import clip_tokenizer
from muscall.text.words import words_of
from muscall.training.sentences import sentence_vectors

SECONDS = 20.0
"""The centre of each clip, of which crops are then taken."""
STEP_DB, FLOOR_DB = 0.5, -100.0
"""A log-mel is a byte: its value in steps above the floor."""
LONGEST = 32
"""Tokens of a caption; 4 in 10,000 captions have more."""
FACTS = ("instruments", "style")
FEWEST = 10
"""Test clips that a label must have to be asked for."""

Row = dict[str, Any]


def track(row: Row) -> str:
    """What a clip was rendered or cut from."""
    source = row["source"]
    names = {"grooves": ("style_file", "groove"), "scores": ("piece",)}
    return "/".join(str(source[name]) for name in names.get(row["part"], ("package", "file")))


def draw(rows: Sequence[Row], held: Mapping[str, int]) -> list[Row]:
    """The rows with their new splits: so many of each split in `held`, and "train"."""
    rows = sorted(rows, key=lambda row: hashlib.sha256(row["id"].encode()).digest())
    taken: set[str] = set()
    drawn: list[Row] = []
    for split, count in held.items():
        for row in rows:
            if sum(one["split"] == split for one in drawn) == count:
                break
            if track(row) not in taken:
                taken.add(track(row))
                longest = max(row["caption"], key=len)
                drawn.append(row | {"split": split, "caption": [longest]})
    return drawn + [row | {"split": "train"} for row in rows if track(row) not in taken]


def log_mel(path: Path, duration: float) -> np.ndarray:
    """(mels, frames) uint8 of the centre of a clip."""
    config = MelConfig()
    start = centre_start(duration, SECONDS)
    sound = read(path, start=start, duration=SECONDS, sample_rate=config.sample_rate)
    sound = loop_to(sound, round(SECONDS * config.sample_rate))
    with torch.inference_mode():
        decibels = LogMel(config)(torch.from_numpy(sound)[None])[0].numpy()
    return np.rint((decibels - FLOOR_DB) / STEP_DB).clip(0, 255).astype(np.uint8)


def tokens_of(sentences: Sequence[str]) -> np.ndarray:
    """(sentences, LONGEST) uint16, right-padded with 0."""
    found = np.zeros((len(sentences), LONGEST), np.uint16)
    encoded = clip_tokenizer(LONGEST).encode_batch(list(sentences))
    for row, one in zip(found, encoded, strict=True):
        row[: len(one.ids)] = one.ids
    return found


def word_numbers(sentences: Sequence[str], vocabulary: Sequence[str]) -> np.ndarray:
    """(sentences, LONGEST) uint16, from 1; words that are not known are left out."""
    number = {word: index for index, word in enumerate(vocabulary, 1)}
    found = np.zeros((len(sentences), LONGEST), np.uint16)
    for row, sentence in zip(found, sentences, strict=True):
        known = [number[word] for word in words_of(sentence) if word in number][:LONGEST]
        row[: len(known)] = known
    return found


def labels_of(rows: Sequence[Row]) -> dict[str, list[str]]:
    """By fact, what FEWEST rows or more have, the most frequent first."""
    counts = {
        fact: Counter(label for row in rows for label in set(row["facts"].get(fact) or ()))
        for fact in FACTS
    }
    return {
        fact: [label for label, count in found.most_common() if count >= FEWEST]
        for fact, found in counts.items()
    }


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Prepare the pairs of recipes.paper.train.")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--vectors", type=Path, default=Path("corpora/word2vec/vectors.bin"))
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--val", type=int, default=300)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    lines = (options.corpus / "manifest.jsonl").read_text("utf-8").splitlines()
    rows = draw([json.loads(line) for line in lines], {"test": options.test, "val": options.val})

    torch.set_num_threads(1)
    with ProcessPoolExecutor() as pool:
        paths = [options.corpus / row["audio"] for row in rows]
        mels = pool.map(log_mel, paths, [row["duration"] for row in rows], chunksize=16)
        np.save(options.out / "mels.npy", np.stack(list(mels)))

    captions = [caption for row in rows for caption in row["caption"]]
    used = {word for caption in captions for word in words_of(caption)}
    words, vectors = read_vectors(options.vectors, limit=200_000)
    kept = [index for index, word in enumerate(words) if word in used]
    vocabulary = [words[index] for index in kept]
    labels = labels_of([row for row in rows if row["split"] == "test"])
    asked = [t.replace("{label}", x) for t in ENSEMBLE for own in labels.values() for x in own]
    encoder = SentenceEncoder.pretrained(SentenceConfig())
    np.savez(
        options.out / "text.npz",
        tokens=tokens_of(captions),
        words=word_numbers(captions, vocabulary),
        sentences=sentence_vectors(encoder, captions, options.out)(captions).numpy(),
        labels=tokens_of(asked),
        vectors=np.concatenate([vectors.mean(axis=0, keepdims=True), vectors[kept]]),
    )
    facts = [{fact: row["facts"].get(fact) for fact in FACTS} for row in rows]
    told = {
        "rows": [
            {"id": row["id"], "split": row["split"], "caption": row["caption"]} | known
            for row, known in zip(rows, facts, strict=True)
        ],
        "vocabulary": vocabulary,
        "labels": labels,
    }
    (options.out / "rows.json").write_text(json.dumps(told), "utf-8")


if __name__ == "__main__":
    main()
