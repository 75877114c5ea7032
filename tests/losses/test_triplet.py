import pytest
import torch
from torch.nn import functional as F

from muscall.losses import triplet


def embeddings(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (F.normalize(torch.randn(count, 8, generator=generator), dim=-1) for _ in range(2))


def test_it_is_the_mean_over_all_negatives_of_what_each_costs():
    audio, text = embeddings(5)
    total = 0.0
    for i in range(5):
        for j in range(5):
            if i != j:
                match = float(audio[i] @ text[i])
                total += max(0.0, 0.2 - match + float(audio[i] @ text[j]))
                total += max(0.0, 0.2 - match + float(audio[j] @ text[i]))
    assert triplet(audio, text, 0.2).item() == pytest.approx(total / (5 * 4), rel=1e-5)


def test_it_equals_torchs_triplet_loss_over_every_negative():
    audio, text = embeddings(6, seed=1)
    rows, negatives = torch.nonzero(~torch.eye(6, dtype=torch.bool), as_tuple=True)
    distance = torch.nn.TripletMarginWithDistanceLoss(
        distance_function=lambda one, other: 1 - F.cosine_similarity(one, other), margin=0.5
    )
    expected = distance(audio[rows], text[rows], text[negatives])
    expected += distance(text[rows], audio[rows], audio[negatives])
    torch.testing.assert_close(triplet(audio, text, 0.5), expected)


def test_pairs_that_lead_by_the_margin_cost_nothing():
    audio = torch.eye(4)
    assert triplet(audio, audio, 0.9).item() == 0.0
    assert triplet(audio, audio.roll(1, dims=0), 0.9).item() > 0.0


def test_masked_pairs_are_no_negatives():
    audio, text = embeddings(4)
    mask = torch.eye(4, dtype=torch.bool)
    torch.testing.assert_close(triplet(audio, text, 0.2, mask), triplet(audio, text, 0.2))
    mask[0, 1:] = mask[1:, 0] = True
    rest = triplet(audio[1:], text[1:], 0.2)
    torch.testing.assert_close(triplet(audio, text, 0.2, mask), 3 / 4 * rest)
    assert triplet(audio, text, 0.2, torch.ones(4, 4, dtype=torch.bool)).item() == 0.0
