"""What claims come to."""

import pytest

from muscall.evaluation.score import Score
from muscall.reproduce.pages import Claim


@pytest.mark.parametrize(
    ("difference", "better", "equal"),
    [
        (Score(2, 1, 3), "agrees", "agrees"),
        (Score(-8, -9, -6), "disagrees", "disagrees"),
        (Score(1, -1, 3), "not decided", "agrees"),
        (Score(4, -2, 10), "not decided", "not decided"),
        (Score(1), "not decided", "not decided"),
    ],
)
def test_a_claim_is_judged_by_the_interval_of_the_difference(
    difference: Score, better: str, equal: str
) -> None:
    assert Claim("", "a", "b").verdict(difference) == better
    assert Claim("", "a", "b", equal=True).verdict(difference) == equal
