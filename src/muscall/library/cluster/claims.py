"""Which worker of a cluster decodes a sound that several of them come upon.

In a file without imports: the process of this actor then starts at once.
"""


class Claims:
    """Gives each sound to the batch that asks first."""

    def __init__(self, known: set[str]) -> None:
        self._claims = dict.fromkeys(known, "")

    def claim(self, key: str, batch: str) -> bool:
        """Whether the sound is for `batch`; always the same answer."""
        return self._claims.setdefault(key, batch) == batch
