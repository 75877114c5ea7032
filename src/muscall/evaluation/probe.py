"""Linear probes: how well a linear classifier on frozen embeddings predicts labels."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from torch import nn

from muscall.data.manifest import Row, in_split
from muscall.errors import MuscallError
from muscall.evaluation.embedding import embed_readable
from muscall.evaluation.labelling import Labelling, LabelResult
from muscall.models.inference import Segment, Windows
from muscall.models.muscall import MusCALL

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Inverse strengths of regularisation (scikit-learn's C). The best on split val is chosen."""
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class ProbeResult(LabelResult):
    """Scores of the test rows under the name "linear probe"; `strength` is the chosen one."""

    strength: float
    trained_on: int


def evaluate_probe(
    model: MusCALL,
    rows: Sequence[Row],
    *,
    features: bool = False,
    windows: Windows = "centre",
    progress: Callable[[int, int], None] | None = None,
) -> ProbeResult:
    """Train logistic regression on embeddings of split train, and score it on split test.

    Each dimension is scaled to zero mean and unit variance over split train. The strength of
    regularisation is the one with the best accuracy, or ROC-AUC, on split val.

    Args:
        rows: of all three splits.
        features: probe the encoder's features before the projection instead of the embedding.
        windows, progress: as for `evaluate_zeroshot`.

    Returns:
        The scores. A row whose audio cannot be read is logged, left out and listed in `failures`.

    Raises:
        MuscallError: a split has no readable rows, or no label can be learned.
    """
    labelling = Labelling.of(rows)
    parts = {split: in_split(rows, split) for split in SPLITS}
    used = [row for part in parts.values() for row in part]
    segments = [Segment(row.audio, row.start, row.duration) for row in used]
    indices, vectors, failures = embed_readable(
        _unprojected(model) if features else model, segments, windows=windows, progress=progress
    )
    readable = [used[index] for index in indices]
    places = {
        split: np.array([place for place, row in enumerate(readable) if row.split == split], int)
        for split in SPLITS
    }
    for split, some in places.items():
        if not len(some):
            raise MuscallError(f"none of the rows of split {split} can be read")
    truth = labelling.table(readable)
    kept = labelling.scorable(*(truth[some] for some in places.values()))
    truth = truth[:, kept]
    if labelling.multiclass and truth[places["train"]].any(axis=0).sum() < 2:
        raise MuscallError("nothing to learn: all rows of split train have the same label")

    scaled = StandardScaler().fit(vectors[places["train"]]).transform(vectors)
    # The problems are too small for threads, which would only wait for each other.
    with threadpool_limits(1):
        probes = {
            strength: _fitted(scaled[places["train"]], truth[places["train"]], strength, labelling)
            for strength in STRENGTHS
        }

    def on_val(strength: float) -> float:
        scores = probes[strength](scaled[places["val"]])
        return next(iter(labelling.values(scores, truth[places["val"]]).values()))

    strength = max(STRENGTHS, key=on_val)
    scores, right = probes[strength](scaled[places["test"]]), truth[places["test"]]
    return ProbeResult(
        scores={"linear probe": labelling.scores(scores, right)},
        chance=labelling.chance(right),
        items=len(right),
        labels=[label for label, keep in zip(labelling.labels, kept, strict=True) if keep],
        failures=failures,
        strength=strength,
        trained_on=len(places["train"]),
    )


def _fitted(
    vectors: np.ndarray, truth: np.ndarray, strength: float, labelling: Labelling
) -> Callable[[np.ndarray], np.ndarray]:
    """Fit logistic regression: (n, dim) -> scores (n, labels).

    Multiclass labels share one regression; otherwise each label has its own.
    """

    def fit(target: np.ndarray) -> LogisticRegression:
        with warnings.catch_warnings():
            # Weak regularisation may not converge; split val then decides whether it is chosen.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return LogisticRegression(C=strength, max_iter=1000).fit(vectors, target)

    if not labelling.multiclass:
        each = [fit(column) for column in truth.T]
        return lambda some: np.stack([one.decision_function(some) for one in each], axis=1)
    joint = fit(truth.argmax(axis=1))

    def scores(some: np.ndarray) -> np.ndarray:
        # Labels that no row of split train has are never the answer.
        found = np.full((len(some), truth.shape[1]), -np.inf)
        found[:, joint.classes_] = joint.predict_log_proba(some)
        return found

    return scores


def _unprojected(model: MusCALL) -> MusCALL:
    """A copy whose audio embeddings are the encoder's features, scaled to unit norm."""
    model = copy.deepcopy(model)
    model.audio_projection = nn.Identity()
    return model
