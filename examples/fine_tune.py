"""Go on from the packaged weights with music of one's own.

    python examples/fine_tune.py ~/Music [SETTING=VALUE ...]

The music is a manifest, or a folder of which the tags become the words. Some rows are kept aside,
and retrieval is measured on them before and after. `muscall train --init default ~/Music` does the
same.
"""

import sys
from pathlib import Path

import muscall
from muscall.data.splits import rows_of
from muscall.evaluation.retrieval import evaluate_retrieval
from muscall.training import fine_tuning, train


def main(music: str, *settings: str) -> None:
    config = fine_tuning("default", Path(music), settings)
    tuned = train(config)
    _, aside = rows_of(config.data, most=config.train.validation_items, seed=config.train.seed)
    for name, model in {"before": muscall.load(), "after": muscall.load(tuned)}.items():
        scores = evaluate_retrieval(model, aside).text_to_audio
        print(f"{name:7} R@10 {scores['R@10']:5.1f}  median rank {scores['MedR']:.0f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
