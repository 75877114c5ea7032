"""The model card of a checkpoint, which a hub shows."""

from __future__ import annotations

import re
from collections.abc import Mapping

from huggingface_hub import EvalResult

TEMPLATE = """---
{{ card_data }}
---

# MusCALL

Two encoders, one for music and one for sentences, trained contrastively so that a matching track
and sentence lie close ([Contrastive Audio-Language Learning for Music](
https://arxiv.org/abs/2208.12208), ISMIR 2022).

```python
import muscall

model = muscall.load("THIS_FOLDER")
similarities = model.encode_text(["calm solo piano"]) @ model.encode_audio(["song.mp3"]).T
```

A score is a cosine similarity: it orders the tracks of one library for one sentence and means
nothing by itself.

{{ details | default("", true) }}
"""


def eval_results(results: Mapping[str, Mapping[str, float]]) -> list[EvalResult]:
    """Scores of retrieval for the metadata of a card: by data set, scores by their names."""
    return [
        EvalResult(
            task_type="feature-extraction",
            task_name="Text-to-audio retrieval",
            dataset_type=re.sub(r"\W+", "-", dataset).strip("-").lower(),
            dataset_name=dataset,
            metric_type=name,
            metric_name=name,
            metric_value=round(float(value), 2),
        )
        for dataset, scores in results.items()
        for name, value in scores.items()
    ]
