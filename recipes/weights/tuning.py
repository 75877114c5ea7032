"""Show what fine-tuning on one's own music does, on real tracks, and what it costs elsewhere.

    PYTHONPATH=recipes/open-corpus python recipes/weights/tuning.py [MODEL]

The library: the real tracks of the development set, with their albums (the games), artists and
titles as a person's tags have them. Two tracks in three of each album train
(`muscall train --init MODEL library.jsonl`), the third is searched: are the tracks of an album, or
of an artist, found by its name? What is forgotten is retrieval on the held-out rendered clips.
Prints a Markdown table: before, after, and after without the guard against forgetting.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
from dev import rulers
from rows import slug
from unpacking import muscall as command

import muscall
from muscall.audio.tags import Tags
from muscall.data.tagged import captions_of
from muscall.evaluation.ranking import (
    average_precision,
    bootstrap_interval,
    chance_average_precision,
    mean_over_queries,
)

CORPUS = Path("corpora/open")
OUT = Path("runs/tuning")
LEAST = 2  # held-out tracks that carry a name, for it to be asked for


def tags(row: dict[str, str]) -> Tags:
    """As a person's files would have them."""
    return Tags(title=row.get("title", ""), artist=row.get("composer", ""), album=row["game"])


def held_out(row: dict[str, str]) -> bool:
    """One track in three, the same ones every time."""
    return int.from_bytes(hashlib.sha256(row["id"].encode()).digest()[:4]) % 3 == 0


def write_library(rows: list[dict[str, str]], folder: Path, path: Path) -> Path:
    """The manifest to tune on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        {"audio": str((folder / row["audio"]).resolve()), "caption": captions_of(tags(row))}
        for row in rows
        if captions_of(tags(row))
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def queries(rows: list[dict[str, str]]) -> tuple[list[str], np.ndarray]:
    """Names of albums and artists as one types them, and (queries, tracks) bool."""
    sentences, relevant = [], []
    for form, field in (("a track of {}", "game"), ("music by {}", "composer")):
        counts = Counter(row.get(field, "") for row in rows)
        for name in sorted(name for name, n in counts.items() if name and n >= LEAST):
            sentences.append(form.format(name))
            relevant.append([row.get(field) == name for row in rows])
    return sentences, np.array(relevant)


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Fine-tuning on real tracks, shown.")
    parser.add_argument("model", nargs="?", default="default")
    options = parser.parse_args()
    dev = rulers.read(rulers.TRACKS, rulers.SENTENCES)
    aside = [row for row in dev.tracks if held_out(row)]
    library = write_library(
        [row for row in dev.tracks if not held_out(row)], dev.folder, OUT / "library.jsonl"
    )
    paths = [dev.folder / row["audio"] for row in aside]
    sentences, relevant = queries(aside)
    chance = np.mean([chance_average_precision(int(row.sum()), row.size) for row in relevant])
    test = CORPUS / "test.jsonl"
    models = {"before": options.model}
    for name, blend in (("tuned", 0.5), ("tuned, no guard", 0.0)):
        out = OUT / slug(name)
        models[name] = command(
            "train", "--init", options.model, library, f"train.out={out}", f"train.blend={blend}"
        ).strip()
    print("| | albums and artists, mAP | 95 % | held-out clips, T→A R@10 | A→T R@10 |")
    print(f"|---|---:|---:|---:|---:|\n| by chance | {100 * chance:.1f} | | | |")
    for name, source in models.items():
        model = muscall.load(source)
        scores = model.encode_text(sentences) @ model.encode_audio(paths).T
        found = mean_over_queries(average_precision, scores, relevant)
        low, high = bootstrap_interval(average_precision, scores, relevant)
        kept = json.loads(command("evaluate", "retrieval", source, test, "--json"))
        ways = [kept[way]["R@10"] for way in ("text_to_audio", "audio_to_text")]
        print(
            f"| {name} | {100 * found:.1f} | {100 * low:.1f}-{100 * high:.1f} | "
            f"{ways[0]:.1f} | {ways[1]:.1f} |"
        )


if __name__ == "__main__":
    main()
