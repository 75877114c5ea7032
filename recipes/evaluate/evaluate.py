"""Evaluate models, and write one page for all of them.

    python -m recipes.evaluate.evaluate [[NAME=]MODEL ...]

Without models it evaluates the default one: retrieval and zero-shot on held-out rendered clips, on
the 28 generated tracks and on both parts of the set of real music, beside baselines; and
robustness. It writes the page and the numbers behind it. A model is not evaluated again if its
numbers are there and are of the same weights and data.
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

import muscall
from muscall.errors import MuscallError
from muscall.evaluation.score import Score, Scores, markdown
from muscall.models import checkpoint
from recipes.corpus.dev import baselines
from recipes.corpus.rows import slug
from recipes.evaluate import generated, real, rendered, robustness

CORPUS = Path("corpora/open/test.jsonl")
RESULTS = Path("docs/results")
SHARES = {"AUC": ".3f", "tempo rank correlation": ".2f"}
QUERIES = {
    "metadata": "Metadata queries (relevance by names, titles, tags and documentation)",
    "acoustic": "Acoustic queries (relevance by measurement of the sound)",
}
PARTS = {
    "choosing": "The choosing part, which designs were chosen on",
    "final": "The final part, which chose nothing",
}

Numbers = dict[str, Any]
"""Nested dictionaries with Scores inside."""


def fingerprint(folder: Path) -> str:
    """A hash of the weights and the configuration in a checkpoint folder."""
    digest = hashlib.sha256()
    for name in (checkpoint.CONFIG, checkpoint.WEIGHTS):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]


def measure(
    source: str,
    clips: rendered.Clips,
    tracks: generated.Tracks,
    sets: dict[str, baselines.DevelopmentSet],
    beside: dict[str, dict[str, Any]],
) -> Numbers:
    """All scores of one model."""
    model = muscall.load(source)
    found: Numbers = {"real": {}}
    for part, dev in sets.items():
        audio = model.encode_audio(dev.paths, windows="all")
        scores = model.encode_text(dev.sentences) @ audio.T
        found["real"][part] = real.of_model(dev, scores, beside[part])
    chosen = sets["choosing"]
    return found | {
        "rendered": rendered.measure(model, clips),
        "generated": generated.measure(model, tracks),
        "robustness": robustness.measure(model, chosen.paths, chosen.sentences),
    }


def page(found: dict[str, Numbers], given: Numbers) -> str:
    """The page in Markdown, from the numbers of all models and of chance and baselines."""
    parts = [
        "# What the released weights can do",
        f"`make evaluate`, {datetime.now(UTC):%Y-%m-%d}. Intervals in brackets: 95 %, bootstrap; "
        "over queries for retrieval and real music, over clips or tracks elsewhere.",
        f"## Held-out rendered clips\n\n{given['clips']} pairs of `corpora/open/test.jsonl`, "
        "of styles, pieces and games that no model has trained on. The first caption is the "
        "query. The paper's numbers are on other data: 1,000 pairs of a licensed catalogue.",
    ]
    for way in ("T→A", "A→T"):
        rows: dict[str, Scores] = {"by chance": given["rendered chance"][way]}
        paper = zip(rendered.NAMES, rendered.PAPER[way], strict=True)
        rows["the paper's MusCALL, its data"] = {name: Score(value) for name, value in paper}
        for name, numbers in found.items():
            for what in ("central window", "whole clip"):
                rows[f"{name}, {what}"] = numbers["rendered"][what][way]
        title = "text to audio" if way == "T→A" else "audio to text"
        parts.append(f"**{title}**\n\n{markdown(rows, {'MedR': '.0f'})}")
    rows = {"by chance": given["generated chance"]}
    rows |= {name: numbers["generated"]["labels and tempo"][""] for name, numbers in found.items()}
    parts.append(
        "## 28 generated tracks\n\n`immich-memories-music`, made by a music model from text "
        "prompts; never used for training or selection. Queries are “{label} music”. Tempo is "
        "“fast music” minus “slow music” against the tempo that the package gives.\n\n"
        f"{markdown(rows, SHARES)}"
    )
    parts.append(
        "## Real music\n\nRecordings of packages that no corpus may touch "
        "(`recipes/corpus/dev/`), in two parts without a package, a game or a composer in "
        "common. “+” is the sum of both scores, each scaled to unit variance per sentence."
    )
    for part, title in PARTS.items():
        about = given["real"][part]
        parts.append(f"### {title}\n\n{about['tracks']} tracks, {about['sentences']} sentences.")
        for file, heading in QUERIES.items():
            if file not in about["chance"]:
                continue
            rows = {"by chance": about["chance"][file]}
            rows |= {
                real.BASELINES[name]: about["baselines"][name][file] for name in real.BASELINES
            }
            for name, numbers in found.items():
                own = numbers["real"][part]
                rows |= {f"{name}{more}": own[more][file] for more in own}
            parts.append(f"**{heading}**\n\n{markdown(rows, SHARES)}")
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
        for way, row in numbers["generated"]["classes"].items()
    }
    parts.append(f"**The 28 generated tracks** (by chance 50 and 20)\n\n{markdown(rows)}")
    rows = {
        f"{name}, {change}": row
        for name, numbers in found.items()
        for change, row in numbers["robustness"].items()
    }
    parts.append(
        "## Robustness\n\nThe middle 30 s of the real tracks are searched with the same sentences "
        f"before and after a change of all files.\n\n{markdown(rows)}"
    )
    return "\n\n".join(parts) + "\n"


def _values(value: Any) -> Any:
    """Turn the lists of JSON back into Scores."""
    if isinstance(value, dict):
        return {name: _values(inner) for name, inner in value.items()}
    return Score(*value) if isinstance(value, list) else value


def measured(
    models: Mapping[str, str], corpus: Path = CORPUS, out: Path = RESULTS
) -> tuple[dict[str, Numbers], Numbers]:
    """Evaluate models that have no saved numbers.

    Args:
        models: a released model's name or a checkpoint folder, by the name in the tables.
        out: the folder of the saved numbers.

    Returns:
        The numbers of the models by name, and those of chance and baselines.
    """
    sets = {part: baselines.read(baselines.TRACKS, baselines.SENTENCES, part) for part in PARTS}
    clips, tracks = rendered.Clips(corpus), generated.Tracks()
    beside = {part: baselines.by_baselines(dev) for part, dev in sets.items()}
    given: Numbers = {
        "clips": len(clips.rows),
        "rendered chance": rendered.chance(len(clips.rows)),
        "generated chance": generated.chance(tracks),
        "real": {
            part: {
                "tracks": len(dev.tracks),
                "sentences": len(dev.sentences),
                "chance": baselines.chance_by_file(dev),
                "baselines": {
                    name: baselines.scores_by_file(dev, scores)
                    for name, scores in beside[part].items()
                },
            }
            for part, dev in sets.items()
        },
        "labels": {
            what: (len(labels), rendered.tagging_chance(labels, relevant))
            for what, (labels, relevant) in clips.tags.items()
        },
    }
    out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Numbers] = {}
    for name, source in models.items():
        released = source in checkpoint.RELEASED
        folder = checkpoint.released(source) if released else Path(source)
        of = {
            "weights": fingerprint(folder),
            "corpus": str(corpus),
            "real": {part: [len(dev.tracks), len(dev.sentences)] for part, dev in sets.items()},
        }
        kept = out / f"weights-{slug(name)}.json"
        if kept.exists() and (saved := json.loads(kept.read_text()))["of"] == of:
            found[name] = _values(saved["found"])
            continue
        print(f"measuring {name}", file=sys.stderr)
        found[name] = measure(source, clips, tracks, sets, beside)
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
