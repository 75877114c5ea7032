"""Turns the TensorFlow checkpoints of the package musicnn into weights/*.safetensors.

    python recipes/open-corpus/teacher/convert.py WHEEL_UNPACKED

Done once; the result is in git. Needs TensorFlow, which the recipe itself does not, so run it in
an environment of its own (Python 3.9, tensorflow-cpu 2.10.1, protobuf < 3.20, safetensors).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file

BLOCKS = ("timbres.0", "timbres.1", "rhythms.0", "rhythms.1", "rhythms.2", "middle.0", "middle.1",
          "middle.2")  # fmt: skip
LAYERS = {
    **{f"{block}.layer": f"conv2d_{n}".removesuffix("_0") for n, block in enumerate(BLOCKS)},
    "penultimate.layer": "dense",
    "output": "dense_1",
}
NORMS = {
    "input_norm": "batch_normalization",
    **{f"{block}.norm": f"batch_normalization_{n}" for n, block in enumerate(BLOCKS, start=1)},
    "pool_norm": "batch_normalization_9",
    "penultimate.norm": "batch_normalization_10",
}
PARTS = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


def convert(checkpoint: str) -> dict[str, np.ndarray]:
    """The variables of one checkpoint under the names, and in the layouts, of `Musicnn`."""
    read = tf.compat.v1.train.NewCheckpointReader(checkpoint).get_tensor
    state = {}
    for ours, theirs in LAYERS.items():
        kernel = read(f"{theirs}/kernel")
        if ours.startswith("middle"):
            kernel = kernel[:, :, 0]  # over time alone: (frames, in, out)
        # From (..., in, out) to (out, in, ...).
        state[f"{ours}.weight"] = np.moveaxis(kernel, (-1, -2), (0, 1))
        state[f"{ours}.bias"] = read(f"{theirs}/bias")
    for ours, theirs in NORMS.items():
        for part, name in PARTS.items():
            state[f"{ours}.{part}"] = read(f"{theirs}/{name}")
        state[f"{ours}.num_batches_tracked"] = np.int64(0).reshape(())
    return {name: np.ascontiguousarray(value) for name, value in state.items()}


if __name__ == "__main__":
    unpacked = Path(sys.argv[1])
    for network in ("mtt", "msd"):
        # The name of a checkpoint is that of its folder and nothing more.
        state = convert(f"{unpacked}/musicnn/{network.upper()}_musicnn/")
        weights = Path(__file__).parent / "weights" / f"{network}.safetensors"
        save_file(state, weights, {"source": "musicnn 0.1.0 (PyPI), ISC, see LICENSE.md"})
