"""The folder of a run: it belongs to one configuration and one set of rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from muscall.data.manifest import Row
from muscall.errors import ConfigError
from muscall.models.checkpoint import written_aside
from muscall.training.config import Config

BEST, LAST, STATE, SETTINGS, ROWS = "best", "last", "state", "config.json", "rows.sha256"


def claim(config: Config, rows: Sequence[Row]) -> None:
    """Take `config.train.out` for a run of `config` on `rows`, or find that it already is.

    Raises:
        ConfigError: the folder holds a run with other settings or on other rows. Settings that the
            result does not depend on may differ.
    """
    out = Path(config.train.out)
    settings, now = out / SETTINGS, comparable(config)
    if not settings.exists():
        with written_aside(out) as aside:
            (aside / SETTINGS).write_text(json.dumps(now, indent=2), encoding="utf-8")
            (aside / ROWS).write_text(_digest(rows), encoding="utf-8")
        return
    saved = json.loads(settings.read_text(encoding="utf-8"))
    # Settings that are newer than the run have their defaults in it.
    given = [f"{name}={json.dumps(saved[name], ensure_ascii=False)}" for name in saved]
    then = comparable(Config.build({}, given, str(settings)))
    for name in sorted(now.keys() | then.keys()):
        if now.get(name) != then.get(name):
            raise ConfigError(
                f"{out} holds a run with {name}={then.get(name)}, not {now.get(name)}:"
                f" to go on from it, train.init={out / LAST} and another train.out"
            )
    digest = out / ROWS
    if digest.exists() and digest.read_text(encoding="utf-8") != _digest(rows):
        raise ConfigError(
            f"{out} holds a run on other rows, {config.data.train} has changed: "
            f"to go on with these, train.init={out / LAST} and another train.out"
        )


def _digest(rows: Sequence[Row]) -> str:
    """A checksum of what the order of batches and their captions depend on."""
    values = [(row.id, row.captions, row.start, row.duration) for row in rows]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def comparable(config: Config) -> dict[str, object]:
    """The settings that the result depends on, by their dotted names."""
    ignored = {"train.out", "train.device", "train.threads", "train.save_every"}
    ignored |= {"data.workers", "data.pin_memory"}

    def flat(values: dict[str, object], prefix: str = "") -> dict[str, object]:
        found: dict[str, object] = {}
        for name, value in values.items():
            if isinstance(value, dict):
                found |= flat(value, f"{prefix}{name}.")
            elif prefix + name not in ignored:
                found[prefix + name] = value
        return found

    return flat(config.model_dump(mode="json"))
