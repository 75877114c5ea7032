"""Labels as sentences, for classification and tagging without examples (paper, section 4.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from muscall.several import several

if TYPE_CHECKING:  # labels are embedded without torch where sentences are
    from muscall.models.reader import Reader

PLAIN = ("{label}",)
PROMPT = ("A {label} track",)
"""The paper's prompt."""
ENSEMBLE = (
    "{label}",
    "A {label} track",
    "{label} music",
    "a piece of {label} music",
    "a {label} song",
    "music with {label}",
    "this sounds like {label}",
)
"""Their mean embedding depends less on the wording of a single one (CLIP, section 3.1.4)."""
TEMPLATES = {"the label": PLAIN, "“A … track”": PROMPT, "ensemble": ENSEMBLE}
"""Templates by their name in tables."""


def embed_labels(
    model: Reader, labels: str | Sequence[str], templates: str | Sequence[str] = PROMPT
) -> np.ndarray:
    """Embed each label in each template and take the mean over templates.

    Args:
        templates: each with `{label}` in it.

    Returns:
        (number of labels, dim) float32, unit norm.
    """
    labels, templates = several(labels), several(templates)
    sentences = [template.replace("{label}", label) for template in templates for label in labels]
    embeddings = model.encode_text(sentences).reshape(len(templates), len(labels), -1)
    mean = embeddings.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), np.float32)
