"""Print what a model finds first among the real tracks, for sentences that nobody tuned on.

    python -m recipes.evaluate.first_five [MODEL]

Prints Markdown: the five best of both parts of the set of real music, with the metadata of each.
"""

from __future__ import annotations

import sys

import numpy as np

import muscall
from recipes.corpus.dev import baselines

SENTENCES = (
    "a lone flute playing a sad melody", "aggressive guitars and pounding drums",
    "a children's song with a toy piano", "smooth saxophone in a night club",
    "slow strings for a funeral", "hypnotic synthesizer loops", "a cheerful polka with accordion",
    "monks chanting in a monastery", "a marching brass band", "happy whistling and ukulele",
    "robots at work in a factory", "peaceful harp by a waterfall", "a frantic car chase",
    "solo harpsichord in a palace", "a lullaby on a music box", "tribal drums around a fire",
    "a woman singing softly", "funky slap bass", "a ghost in an old house",
    "a sunny day at the fair",
)  # fmt: skip
FIRST = 5


def main(model: str | None = None) -> None:
    """Print the lists."""
    sets = [
        baselines.read(baselines.TRACKS, baselines.SENTENCES, part)
        for part in ("choosing", "final")
    ]
    tracks = [track for part in sets for track in part.tracks]
    found = muscall.load(model)
    audio = found.encode_audio([path for part in sets for path in part.paths])
    print(f"{len(tracks)} tracks.")
    for sentence, scores in zip(SENTENCES, found.encode_text(SENTENCES) @ audio.T, strict=True):
        print(f"\n**{sentence}**\n\n| track | game | title | metadata |\n|---|---|---|---|")
        for place in np.argsort(-scores, kind="stable")[:FIRST]:
            row = tracks[place]
            print(f"| {row['id']} | {row['game']} | {row['title']} | {row['stated']} |")


if __name__ == "__main__":
    main(*sys.argv[1:2])
