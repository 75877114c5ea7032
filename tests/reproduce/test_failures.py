"""What is said of a sentence whose track did not come first."""

from pathlib import Path

import numpy as np

from muscall.data.manifest import Row
from muscall.evaluation.metrics import ranks
from muscall.reproduce.failures import failures, words

CAPTIONS = ("A calm track with piano", "calm guitar", "Techno, no piano", "techno <b>")


def test_words_that_say_something() -> None:
    assert words("A calm track with the Piano, no drums") == {"calm", "piano", "drums"}


def test_failures_name_what_came_first_and_what_is_shared() -> None:
    rows = [Row(str(n), Path(f"{n}.wav"), (caption,)) for n, caption in enumerate(CAPTIONS)]
    similarity = np.array(
        [[0.5, 0.9, 0.1, 0.1], [0.1, 0.9, 0.1, 0.1], [0.8, 0.9, 0.7, 0.1], [0.2, 0.2, 0.6, 0.6]]
    )
    first, third, tied = failures(rows, similarity, ranks(similarity))
    assert (first.query, first.first.id, first.rank, first.shared) == (
        CAPTIONS[0], "1", 2, ("calm",),
    )  # fmt: skip
    assert (third.first.id, third.rank, third.shared) == ("1", 3, ())
    # A tie is a miss, and then the other of the two came first.
    assert (tied.right.id, tied.first.id, tied.rank, tied.shared) == ("3", "2", 2, ("techno",))


def test_a_row_with_the_same_caption_is_no_failure() -> None:
    rows = [
        Row(str(n), Path(f"{n}.wav"), (text,)) for n, text in enumerate(("calm", "Calm", "loud"))
    ]
    similarity = np.array([[0.1, 0.9, 0.5], [0.1, 0.2, 0.5], [0.1, 0.2, 0.9]])
    (failure,) = failures(rows, similarity, np.array([1, 2, 1]))
    assert (failure.right.id, failure.first.id) == ("1", "2")
