"""The pictures of results."""

from __future__ import annotations

from pathlib import Path

from muscall.evaluation.score import Score
from muscall.reproduce.figures import Line, Panel, lines
from muscall.reproduce.fitting import PowerLaw


def test_a_power_law_has_axes_with_plain_numbers(tmp_path: Path) -> None:
    law = PowerLaw(3.0, 0.1, 0.0, 0.2)
    values = [Score(4.0, 3.0, 5.0), Score(60.0, 50.0, 70.0)]
    panel = Panel("pairs", [Line("base", [250, 4000], values)], log=True)
    lines([panel], "R@10", tmp_path / "law.svg", law=law, chance=1.0)
    picture = (tmp_path / "law.svg").read_text()
    for number in (250, 4000, 1, 2, 5, 10, 20, 50):
        assert f">{number}<" in picture
    assert "mathdefault" not in picture  # powers of ten
