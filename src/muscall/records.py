"""Typed settings: records read from YAML with dotted overrides."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from muscall.errors import ConfigError
from muscall.several import several

RENAMED = {
    "alike": "false_negative_threshold",
    "blend": "weight_interpolation",
    "hardness": "hard_negative_beta",
    "recompute": "gradient_caching",
    "relative": "level_normalised",
}
"""Settings by their former names, which saved configurations and checkpoints still have."""
FORMER = {name: former for former, name in RENAMED.items()}


def former_name(setting: str) -> str:
    """A setting, dotted or not, under the name that digests of settings have always had."""
    parents, dot, leaf = setting.rpartition(".")
    return parents + dot + FORMER.get(leaf, leaf)


class Record(BaseModel):
    """Immutable, strictly typed settings. An unknown key is an error that names the nearest one."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    @model_validator(mode="before")
    @classmethod
    def _take_former_names(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        # The last one wins if both names are given: an override follows what it overrides.
        return {
            RENAMED[name] if RENAMED.get(name) in cls.model_fields else name: value
            for name, value in values.items()
        }

    @classmethod
    def parse(cls, values: Mapping[str, Any], origin: str = "settings") -> Self:
        """Build from nested mappings.

        Raises:
            ConfigError: one line naming `origin`, the dotted key, and the nearest right name.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = "; ".join(_explain(cls, values, item) for item in error.errors())
            raise ConfigError(f"{origin}: {problems}") from None

    @classmethod
    def read(cls, path: str | Path, overrides: str | Iterable[str] = ()) -> Self:
        """Read YAML at `path`, then apply `overrides` as in `build`."""
        try:
            values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(f"{path}: {' '.join(str(reason).split())}") from None
        if not isinstance(values, dict):
            raise ConfigError(f"{path}: expected settings, found {type(values).__name__}")
        return cls.build(values, overrides, str(path))

    @classmethod
    def build(
        cls, values: dict[str, Any], overrides: str | Iterable[str] = (), origin: str = "settings"
    ) -> Self:
        """`parse` after `overrides` of the form `a.b=value` (value in YAML)."""
        values = copy.deepcopy(values)
        for override in several(overrides):
            _override(values, override)
        return cls.parse(values, origin)


def _override(values: dict[str, Any], override: str) -> None:
    dotted, equals, text = override.partition("=")
    if not equals or not dotted.strip("."):
        raise ConfigError(f"{override}: an override is written setting.name=value")
    *parents, leaf = dotted.split(".")
    for parent in parents:
        child = values.setdefault(parent, {})
        if child is None:
            child = values[parent] = {}
        if not isinstance(child, dict):
            raise ConfigError(f"{override}: {parent} is a value and has no settings below it")
        values = child
    try:
        values[leaf] = yaml.safe_load(text) if text else text
    except yaml.YAMLError:
        values[leaf] = text


def _explain(record: type[BaseModel], values: Any, item: Any) -> str:
    # Pydantic puts the kind of a discriminated record into the path; it is no key of the user's.
    path: list[str] = []
    for part in item["loc"]:
        if isinstance(values, Mapping) and part not in values and part != item["loc"][-1]:
            continue
        path.append(str(part))
        values = values.get(part) if isinstance(values, Mapping) else None
    dotted = ".".join(path)
    if item["type"] == "extra_forbidden":
        # The other kind of a discriminated record may have a setting of this very name.
        names = sorted(set(_names(record)) - {dotted})
        near = difflib.get_close_matches(dotted, names, n=1, cutoff=0.5) or [
            name for name in names if name.rsplit(".", 1)[-1] == path[-1]
        ]
        hint = f", did you mean {near[0]}?" if near else ""
        return f"unknown setting {dotted}{hint}"
    message = item["msg"].removeprefix("Value error, ")
    return f"{dotted or 'settings'}: {message[0].lower()}{message[1:]}"


def _names(record: type[BaseModel], prefix: str = "") -> Iterable[str]:
    for name, field in record.model_fields.items():
        yield prefix + name
        for nested in _records_in(field.annotation):
            yield from _names(nested, f"{prefix}{name}.")


def _records_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found: list[type[BaseModel]] = []
    for argument in getattr(annotation, "__args__", ()):
        found += _records_in(argument)
    return found
