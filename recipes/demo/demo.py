"""Search 28 generated tracks, or a folder of music, with sentences.

    python -m recipes.demo.demo [FOLDER] [--model MODEL] [--picture FILE.svg]

Without a folder it searches the 28 tracks of the PyPI package `immich-memories-music`, and then
measures how well the labels they are filed under are found.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.metrics import average_precision_score, roc_auc_score

import muscall
from muscall.cli.common import progress_bar, readable
from muscall.cli.found import bar
from muscall.errors import MuscallError, one_line
from muscall.evaluation.ranking import chance_average_precision, mean_average_precision_score
from muscall.library.embedding import Collection, embed_files

SENTENCES = (
    "calm solo piano for a rainy evening",
    "energetic electronic dance music with a driving beat",
    "a happy acoustic guitar tune",
    "nostalgic synthesizer music, slow and dreamy",
    "tender and romantic music with strings",
)
LABELS = ("acoustic", "electronic", "calm", "energetic", "happy", "nostalgic", "tender")
QUERY = "{label} music"
SHOWN = 5
ABOUT = (
    "The library: 28 tracks of the PyPI package immich-memories-music (MIT), generated from text "
    "prompts by a music model, ACE-Step 1.5, and filed under five moods, each acoustic or "
    "electronic. For demonstration and evaluation only, never for training."
)


def labels(path: Path) -> list[str]:
    """What a track of the package is filed under: `calm/calm_acoustic_1.opus` -> calm, acoustic."""
    return path.stem.split("_")[:2]


def relevance(paths: list[Path]) -> np.ndarray:
    """(labels, tracks) bool: which tracks carry which of LABELS."""
    return np.array([[label in labels(path) for path in paths] for label in LABELS])


def show_hits(
    console: Console,
    model: muscall.MusCALL,
    collection: Collection,
    filed_under: Callable[[Path], str],
) -> None:
    """Print the best tracks for each of SENTENCES, by sound alone: names would tell the labels."""
    similarities = model.encode_text(SENTENCES) @ collection.embeddings.T
    for sentence, scores in zip(SENTENCES, similarities, strict=True):
        table = Table("rank", "fit", "track", "filed under", box=None)
        for rank, index in enumerate(np.argsort(-scores)[:SHOWN], 1):
            path = collection.paths[index]
            fit = float(np.interp(scores[index], [scores.mean(), scores.max()], [0, 1]))
            track = one_line(readable(Path(path.name)))
            table.add_row(f"{rank:4}", bar(fit), track, filed_under(path))
        console.print(f"“{sentence}”", style="bold")
        console.print(table, "")


def show_precision(console: Console, model: muscall.MusCALL, collection: Collection) -> None:
    """Print how well LABELS are found, beside a random order."""
    relevant = relevance(collection.paths)
    queries = model.encode_text([QUERY.format(label=label) for label in LABELS])
    scores = queries @ collection.embeddings.T
    chances = [chance_average_precision(int(row.sum()), row.size) for row in relevant]

    table = Table(title="Are the labels found? Mean average precision, %", title_justify="left")
    table.add_column("query")
    for column in ("tracks", "found", "by chance", "AUC"):
        table.add_column(column, justify="right")
    for label, row, row_relevant, chance in zip(LABELS, scores, relevant, chances, strict=True):
        found = average_precision_score(row_relevant, row)
        table.add_row(
            QUERY.format(label=label),
            str(row_relevant.sum()),
            f"{100 * found:.1f}",
            f"{100 * chance:.1f}",
            f"{roc_auc_score(row_relevant, row):.2f}",
        )
    mean = mean_average_precision_score(scores, relevant)
    auc = np.mean([roc_auc_score(*pair) for pair in zip(relevant, scores, strict=True)])
    table.add_section()
    table.add_row(
        "mean", "", f"{mean.value:.1f}", f"{100 * float(np.mean(chances)):.1f}", f"{auc:.2f}"
    )
    console.print(table)
    console.print(f"95 % interval of the mean, tracks drawn anew: {mean.low:.1f}-{mean.high:.1f}")


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description="Search music with sentences.")
    parser.add_argument("folder", type=Path, nargs="?", help="music of your own")
    parser.add_argument("--model", help="checkpoint folder or hub name")
    parser.add_argument("--picture", help="SVG file to draw what is printed into")
    options = parser.parse_args()

    # Names of files may look like markup.
    console = Console(markup=False, highlight=False, record=bool(options.picture))
    if options.folder is None:
        from immich_memories_music import tracks_dir

        folder = tracks_dir()
        console.print(ABOUT, "", sep="\n")
    else:
        folder = options.folder.expanduser()
    model = muscall.load(options.model)
    with progress_bar("Listening") as progress:
        collection = embed_files(model, [folder], progress=progress)
    if options.folder is None:
        show_hits(console, model, collection, lambda path: ", ".join(labels(path)))
        show_precision(console, model, collection)
    else:
        show_hits(console, model, collection, lambda path: one_line(readable(path.parent)))
    if options.picture:
        console.save_svg(options.picture, title="make demo")


if __name__ == "__main__":
    try:
        main()
    except MuscallError as error:
        sys.exit(f"demo: {error}")
