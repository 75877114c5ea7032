import math

import pytest
import torch
from torch.nn import functional as F

from muscall.losses import sigmoid


def embeddings(count):
    generator = torch.Generator().manual_seed(0)
    return (F.normalize(torch.randn(count, 8, generator=generator), dim=-1) for _ in range(2))


def test_it_is_binary_cross_entropy_over_all_pairs():
    audio, text = embeddings(5)
    logits = 7.0 * audio @ text.T - 3.0
    expected = F.binary_cross_entropy_with_logits(logits, torch.eye(5), reduction="sum") / 5
    torch.testing.assert_close(sigmoid(audio, text, 7.0, -3.0), expected)


def test_no_pair_depends_on_the_others():
    audio, text = embeddings(3)
    whole = 3 * sigmoid(audio, text, 5.0, -1.0)
    logits = 5.0 * audio @ text.T - 1.0
    pairs = [math.log1p(math.exp(-float(z if i == j else -z))) for (i, j), z in each(logits)]
    assert whole.item() == pytest.approx(sum(pairs), rel=1e-5)


def each(logits):
    return [((i, j), z) for i, row in enumerate(logits.tolist()) for j, z in enumerate(row)]


def test_the_bias_of_the_beginning_makes_a_batch_cheap():
    audio, text = embeddings(64)
    assert sigmoid(audio, text, 10.0, -10.0) < sigmoid(audio, text, 10.0, 0.0) / 3


def test_large_logits_stay_finite():
    audio, text = (rows.requires_grad_() for rows in embeddings(4))
    loss = sigmoid(audio, text, 1e4, -1e4)
    loss.backward()
    assert loss.isfinite()
    assert audio.grad.isfinite().all()


def test_masked_pairs_do_not_count():
    audio, text = embeddings(4)
    mask = torch.zeros(4, 4, dtype=torch.bool)
    mask[0, 1:] = mask[1:, 0] = True
    mask.fill_diagonal_(True)
    alone = sigmoid(audio[:1], text[:1], 5.0, -1.0)
    rest = sigmoid(audio[1:], text[1:], 5.0, -1.0)
    together = sigmoid(audio, text, 5.0, -1.0, mask)
    torch.testing.assert_close(4 * together, alone + 3 * rest)
