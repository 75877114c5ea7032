"""Labels as sentences."""

import numpy as np

from muscall import MusCALL
from muscall.evaluation.zeroshot import ENSEMBLE, PLAIN, embed_labels

LABELS = ["jazz", "techno", "a string quartet"]


def test_a_label_is_embedded_as_its_sentence(tiny_model: MusCALL) -> None:
    prompted = tiny_model.encode_text([f"A {label} track" for label in LABELS])
    np.testing.assert_allclose(embed_labels(tiny_model, LABELS), prompted, atol=1e-6)
    plain = tiny_model.encode_text(LABELS)
    np.testing.assert_allclose(embed_labels(tiny_model, LABELS, PLAIN), plain, atol=1e-6)
    one = embed_labels(tiny_model, LABELS[0], "{label}")
    np.testing.assert_allclose(one, tiny_model.encode_text(LABELS[0]), atol=1e-6)


def test_an_ensemble_is_the_direction_of_the_mean(tiny_model: MusCALL) -> None:
    found = embed_labels(tiny_model, LABELS, ENSEMBLE)
    mean = np.mean([tiny_model.encode_text([t.format(label="jazz")])[0] for t in ENSEMBLE], axis=0)
    # Sentences of other lengths beside it change a sentence by the rounding of bfloat16.
    np.testing.assert_allclose(found[0], mean / np.linalg.norm(mean), atol=0.02)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
