"""What a corpus is to have: a small YAML file, read strictly."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from recipes.corpus.sound.fonts import SOUNDFONTS
from recipes.corpus.sound.realism import EFFECTS


class PlanError(ValueError):
    """A plan that cannot be followed, in one line."""


@dataclass(frozen=True)
class PartPlan:
    """How many clips of a part; `options` are fields of the part's own dataclass."""

    clips: int
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A corpus: `parts` by folder, `splits` the rows wanted for `test` and `val`.

    `human` plays MIDI off the clock's grid; `doubled` is the share of clips that two SoundFonts
    play together; `reverb` is FluidSynth's own, for plans whose effects
    have no room.
    """

    seed: int
    parts: dict[str, PartPlan]
    splits: dict[str, int]
    soundfonts: tuple[str, ...] = tuple(SOUNDFONTS)
    human: bool = True
    doubled: float = 0.12
    reverb: bool = False
    effects: tuple[str, ...] = tuple(EFFECTS)

    def without(self, names: Collection[str]) -> Plan:
        """The plan less some of its parts, effects or SoundFonts; raises PlanError."""
        known = {*self.parts, *self.effects, *self.soundfonts}
        if unknown := sorted(set(names) - known):
            raise PlanError(f"{unknown[0]}: not in the plan, which has {', '.join(sorted(known))}")
        return replace(
            self,
            parts={name: part for name, part in self.parts.items() if name not in names},
            soundfonts=tuple(name for name in self.soundfonts if name not in names),
            effects=tuple(name for name in self.effects if name not in names),
        )

    def scaled(self, clips: int) -> Plan:
        """The plan with about `clips` clips in all, every part and split in proportion."""
        share = clips / sum(part.clips for part in self.parts.values())
        return replace(
            self,
            parts={
                name: replace(part, clips=max(1, round(share * part.clips)))
                for name, part in self.parts.items()
            },
            splits={split: round(share * rows) for split, rows in self.splits.items()},
        )

    def sound(self) -> dict[str, Any]:
        """What rendered audio depends on, as plain YAML: all but counts and splits."""
        values = asdict(self)
        del values["splits"]
        values["parts"] = {name: part.options for name, part in self.parts.items()}
        values["soundfonts"], values["effects"] = list(self.soundfonts), list(self.effects)
        return values


def read_plan(path: Path) -> Plan:
    """A plan from its YAML file.

    Raises:
        PlanError: the file cannot be read, or names what there is not.
    """
    try:
        values = yaml.safe_load(path.read_text())
        parts = {
            name: PartPlan(entry) if isinstance(entry, int) else _part(dict(entry))
            for name, entry in values.pop("parts").items()
        }
        lists = {key: tuple(values.pop(key)) for key in ("soundfonts", "effects") if key in values}
        plan = Plan(parts=parts, **lists, **values)
    except (OSError, yaml.YAMLError, TypeError, KeyError, AttributeError, ValueError) as error:
        raise PlanError(f"{path}: {' '.join(str(error).split())}") from error
    for names, table, kind in (
        (plan.soundfonts, SOUNDFONTS, "SoundFont"),
        (plan.effects, EFFECTS, "effect"),
    ):
        if unknown := [name for name in names if name not in table]:
            raise PlanError(f"{path}: no {kind} is called {unknown[0]!r}")
    if plan.splits.keys() != {"test", "val"}:
        raise PlanError(f"{path}: splits must name test and val")
    return plan


def _part(entry: dict[str, Any]) -> PartPlan:
    return PartPlan(entry.pop("clips"), entry)
