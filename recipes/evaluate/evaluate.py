"""Measure models as a listener would: one page for all of them.

    PYTHONPATH=recipes/open-corpus python recipes/evaluate/evaluate.py [[NAME=]MODEL ...]

Without models, the default. Measures each on held-out rendered clips, on the 28 generated
tracks, on both halves of the set of real music beside its rulers, zero-shot, and for robustness.
Writes the page and the numbers behind it; a model whose numbers are there, from the same weights,
is not measured again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import finished
import real
import rendered
import robustness
from dev import rulers
from rows import slug

import muscall
from muscall.errors import MuscallError
from muscall.evaluation.tables import Row, Value, markdown
from muscall.models import checkpoint

CORPUS = Path("corpora/open/test.jsonl")
RESULTS = Path("docs/results")
SHARES = {"AUC": ".3f", "tempo rank correlation": ".2f"}
TRUTHS = {"sentences": "stated of the tracks", "measured": "measured of the sound"}
HALVES = {
    "choosing": "The half that designs were chosen on",
    "final": "The half that chose nothing",
}

Found = dict[str, Any]


def fingerprint(folder: Path) -> str:
    """Of the weights and the configuration of a checkpoint folder."""
    told = hashlib.sha256()
    for name in (checkpoint.CONFIG, checkpoint.WEIGHTS):
        told.update((folder / name).read_bytes())
    return told.hexdigest()[:16]


def measure(
    source: str,
    clips: rendered.Clips,
    tracks: finished.Tracks,
    halves: dict[str, rulers.DevelopmentSet],
    beside: dict[str, dict[str, Any]],
) -> Found:
    """Everything about one model."""
    model = muscall.load(source)
    found: Found = {"real": {}}
    for half, dev in halves.items():
        audio = model.encode_audio(dev.paths, windows="all")
        scores = model.encode_text(dev.sentences) @ audio.T
        found["real"][half] = real.of_model(dev, scores, beside[half])
    chosen = halves["choosing"]
    return found | {
        "rendered": rendered.measure(model, clips),
        "finished": finished.measure(model, tracks),
        "robustness": robustness.measure(model, chosen.paths, chosen.sentences),
    }


def page(found: dict[str, Found], given: Found) -> str:
    """The page, from the numbers of all models and of what they stand beside."""
    parts = [
        "# What the released weights can do",
        f"`make evaluate`, {datetime.now(UTC):%Y-%m-%d}. Intervals in brackets: 95 %, bootstrap; "
        "over queries for retrieval and real music, over clips or tracks elsewhere.",
        f"## Held-out rendered clips\n\n{given['clips']} pairs of `corpora/open/test.jsonl`, "
        "styles, pieces and games that no model has trained on, first caption. The paper's numbers "
        "are on other data: 1,000 pairs of a licensed catalogue.",
    ]
    for way in ("T→A", "A→T"):
        rows: dict[str, Row] = {"by chance": given["rendered chance"][way]}
        paper = zip(rendered.NAMES, rendered.PAPER[way], strict=True)
        rows["the paper's MusCALL, its data"] = {name: Value(value) for name, value in paper}
        for name, numbers in found.items():
            for what in ("central window", "whole clip"):
                rows[f"{name}, {what}"] = numbers["rendered"][what][way]
        title = "text to audio" if way == "T→A" else "audio to text"
        parts.append(f"**{title}**\n\n{markdown(rows, {'MedR': '.0f'})}")
    rows = {"by chance": given["finished chance"]}
    rows |= {name: numbers["finished"]["labels and tempo"][""] for name, numbers in found.items()}
    parts.append(
        "## 28 generated tracks\n\n`immich-memories-music`, made by a music model from text "
        "prompts; never trained or selected on. Queries “{label} music”; tempo by “fast "
        f"music” less “slow music” against the stated one.\n\n{markdown(rows, SHARES)}"
    )
    parts.append(
        "## Real music\n\nRecordings of packages that no corpus may touch "
        "(`recipes/open-corpus/dev/`), in two halves without a package, a game or a composer in "
        "common. “+” is the sum of both scores, each of unit variance for a sentence."
    )
    for half, title in HALVES.items():
        about = given["real"][half]
        parts.append(f"### {title}\n\n{about['tracks']} tracks, {about['sentences']} sentences.")
        for file, told in TRUTHS.items():
            if file not in about["chance"]:
                continue
            rows = {"by chance": about["chance"][file]}
            rows |= {real.RULERS[name]: about["rulers"][name][file] for name in real.RULERS}
            for name, numbers in found.items():
                own = numbers["real"][half]
                rows |= {f"{name}{more}": own[more][file] for more in own}
            parts.append(f"**What is {told}**\n\n{markdown(rows, SHARES)}")
    parts.append("## Zero-shot")
    for what in ("instruments", "styles"):
        count, by_chance = given["labels"][what]
        rows = {"by chance": by_chance}
        rows |= {
            f"{name}, {way}": row
            for name, numbers in found.items()
            for way, row in numbers["rendered"][what].items()
        }
        parts.append(f"**{count} {what} of the rendered clips**\n\n{markdown(rows)}")
    rows = {
        f"{name}, {way}": row
        for name, numbers in found.items()
        for way, row in numbers["finished"]["classes"].items()
    }
    parts.append(f"**The 28 generated tracks** (by chance 50 and 20)\n\n{markdown(rows)}")
    rows = {
        f"{name}, {change}": row
        for name, numbers in found.items()
        for change, row in numbers["robustness"].items()
    }
    parts.append(
        "## Robustness\n\nThe middle 30 s of the real tracks as a library; the same sentences "
        f"once more after a change of all files.\n\n{markdown(rows)}"
    )
    return "\n\n".join(parts) + "\n"


def _values(value: Any) -> Any:
    """Back from JSON, for which a Value is a list."""
    if isinstance(value, dict):
        return {name: _values(inner) for name, inner in value.items()}
    return Value(*value) if isinstance(value, list) else value


def measured(
    models: Mapping[str, str], corpus: Path = CORPUS, out: Path = RESULTS
) -> tuple[dict[str, Found], Found]:
    """The numbers of models, by the names they are given, and of what they stand beside.

    Args:
        models: by name, a released model's name or a checkpoint folder.
        out: where the numbers are kept.
    """
    halves = {half: rulers.read(rulers.TRACKS, rulers.SENTENCES, half) for half in HALVES}
    clips, tracks = rendered.Clips(corpus), finished.Tracks()
    beside = {half: rulers.by_rulers(dev) for half, dev in halves.items()}
    given: Found = {
        "clips": len(clips.rows),
        "rendered chance": rendered.chance(len(clips.rows)),
        "finished chance": finished.chance(tracks),
        "real": {
            half: {
                "tracks": len(dev.tracks),
                "sentences": len(dev.sentences),
                "chance": real.chance(dev),
                "rulers": {name: real.rows(dev, scores) for name, scores in beside[half].items()},
            }
            for half, dev in halves.items()
        },
        "labels": {
            what: (len(labels), rendered.tagging_chance(labels, relevant))
            for what, (labels, relevant) in (
                ("instruments", clips.instruments),
                ("styles", clips.styles),
            )
        },
    }
    out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Found] = {}
    for name, source in models.items():
        released = source in checkpoint.RELEASED
        folder = checkpoint.released(source) if released else Path(source)
        of = {"weights": fingerprint(folder), "corpus": str(corpus)}
        kept = out / f"weights-{slug(name)}.json"
        if kept.exists() and (told := json.loads(kept.read_text()))["of"] == of:
            found[name] = _values(told["found"])
            continue
        print(f"measuring {name}", file=sys.stderr)
        found[name] = measure(source, clips, tracks, halves, beside)
        kept.write_text(json.dumps({"of": of, "found": found[name]}, indent=1) + "\n")
    return found, given


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Measure models on rendered and real music.")
    parser.add_argument("models", nargs="*", metavar="[NAME=]MODEL", default=["default"])
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="rows of held-out clips")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    pairs = [entry.rpartition("=") for entry in options.models]
    models = {name or source: source for name, _, source in pairs}
    text = page(*measured(models, options.corpus, options.out))
    (options.out / "weights.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    try:
        main()
    except MuscallError as error:
        sys.exit(f"evaluate: {error}")
