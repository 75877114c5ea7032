"""The saved state of a run, from which a killed run resumes exactly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from muscall.errors import CheckpointError
from muscall.models.checkpoint import check_fit, written_aside
from muscall.models.muscall import MusCALL

FILE = "state.safetensors"


def save_state(
    folder: Path, model: MusCALL, optimiser: torch.optim.Optimizer, progress: dict[str, Any]
) -> None:
    """Write weights, optimiser moments and `progress` (JSON) as one file.

    Nothing else is needed, as everything random depends only on the seed and the step.
    """
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    for index, moments in optimiser.state_dict()["state"].items():
        for name, value in moments.items():
            tensors[f"optimiser.{index}.{name}"] = value
    with written_aside(folder) as aside:
        save_file(
            {name: value.detach().contiguous().cpu() for name, value in tensors.items()},
            aside / FILE,
            metadata={"progress": json.dumps(progress)},
        )


def load_state(
    folder: Path, model: MusCALL, optimiser: torch.optim.Optimizer
) -> dict[str, Any] | None:
    """Restore what `save_state` wrote. None if there is no saved state.

    Raises:
        CheckpointError: when the state is damaged or belongs to another model.
    """
    path = folder / FILE
    if not path.exists():
        return None
    weights: dict[str, Tensor] = {}
    moments: dict[int, dict[str, Tensor]] = {}
    try:
        with safe_open(path, framework="pt") as file:
            progress: dict[str, Any] = json.loads(file.metadata()["progress"])
            for key in file.keys():  # noqa: SIM118 - safe_open is no mapping
                kind, name = key.split(".", 1)
                if kind == "model":
                    weights[name] = file.get_tensor(key)
                else:
                    index, moment = name.split(".", 1)
                    moments.setdefault(int(index), {})[moment] = file.get_tensor(key)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: damaged, delete it to start anew: {error}") from None
    check_fit(model.state_dict(), weights, str(path))
    model.load_state_dict(weights)
    optimiser.load_state_dict(
        {"state": moments, "param_groups": optimiser.state_dict()["param_groups"]}
    )
    return progress
