"""The manifests of a corpus, written from the facts stored beside its audio."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache as once
from pathlib import Path
from typing import Any

import yaml

from recipes.corpus.rows import Clip, Part
from recipes.corpus.splits import SPLITS, split_groups


def audio_path(out: Path, clip: Clip) -> Path:
    return out / "audio" / f"{clip.id}.ogg"


def facts_path(out: Path, clip: Clip) -> Path:
    """The file that marks a clip as done: written last."""
    return out / "facts" / f"{clip.id}.json"


@once
def alike() -> frozenset[str]:
    """Names of takes, without their number, that sound like clips of other splits."""
    return frozenset(yaml.safe_load(Path(__file__).with_name("alike.yaml").read_text()))


def row(clip: Clip, part: Part, stored: dict[str, Any], split: str) -> dict[str, Any]:
    """One manifest row."""
    words = part.describe(clip, stored["facts"])
    heard = {name: stored[name] for name in ("peak_dbfs", "rms_dbfs", "effects")}
    return {
        "id": clip.id,
        "audio": f"audio/{clip.id}.ogg",
        "caption": list(words.captions),
        "caption_kind": list(words.kinds),
        "part": clip.part,
        "group": clip.group,
        "split": split,
        "duration": stored["duration"],
        "facts": {**words.facts, **heard},
        "source": words.source,
        "licence": words.licence,
        "words_from": words.words_from,
    }


def write_manifests(
    clips: Sequence[Clip], parts: Mapping[str, Part], wanted: Mapping[str, int], out: Path
) -> dict[str, int]:
    """Write `manifest.jsonl` and one file per split; returns the rows of each split.

    Splits are those of the planned clips, so a clip that had to be skipped moves no other. What is
    held out and yet `alike` is left out.
    """
    splits = split_groups(clips, wanted)
    lines: dict[str, list[str]] = {split: [] for split in SPLITS}
    for clip in sorted(clips, key=lambda clip: clip.id):
        facts = facts_path(out, clip)
        if facts.exists() and audio_path(out, clip).exists():
            split = splits[clip.group]
            if split != "train" and clip.id.rpartition("-")[0] in alike():
                continue
            entry = row(clip, parts[clip.part], json.loads(facts.read_text()), split)
            lines[split].append(json.dumps(entry) + "\n")
    whole = [line for split in SPLITS for line in lines[split]]
    for name, content in [("manifest", whole), *lines.items()]:
        aside = out / f"{name}.part"
        aside.write_text("".join(content))
        aside.rename(out / f"{name}.jsonl")
    return {split: len(content) for split, content in lines.items()}
