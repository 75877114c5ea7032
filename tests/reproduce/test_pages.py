"""What claims come to."""

import pytest

from muscall.evaluation.tables import Value
from muscall.reproduce.pages import Claim


@pytest.mark.parametrize(
    ("difference", "better", "equal"),
    [
        (Value(2, 1, 3), "agrees", "agrees"),
        (Value(-8, -9, -6), "disagrees", "disagrees"),
        (Value(1, -1, 3), "not decided", "agrees"),
        (Value(4, -2, 10), "not decided", "not decided"),
        (Value(1), "not decided", "not decided"),
    ],
)
def test_a_claim_is_judged_by_the_interval_of_the_difference(
    difference: Value, better: str, equal: str
) -> None:
    assert Claim("", "a", "b").verdict(difference) == better
    assert Claim("", "a", "b", equal=True).verdict(difference) == equal
