"""Which floating-point type a device is fastest with."""

from __future__ import annotations

import torch


def native_precision(device: torch.device) -> torch.dtype:
    """bfloat16 where `device` has instructions for it, else float32.

    Most processors of desktops and laptops have none: they convert each number there and back, and
    the networks take about ten times as long as in float32 (`benchmarks/README.md`).
    """
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        # Older versions of torch have no such function.
        tell = getattr(torch.cpu, "get_capabilities", None)
        native = device.type == "cpu" and tell is not None and bool(tell().get("avx512_bf16"))
    return torch.bfloat16 if native else torch.float32
