"""Processes that train together, started by torchrun or accelerate."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from muscall.errors import ConfigError
from muscall.processes import end_with_parent

# While the main process validates, the others wait at a barrier: by default for 10 minutes at most.
PATIENCE = timedelta(hours=6)


@dataclass(frozen=True)
class Group:
    """The rank of this process among `world`. With a world of 1 nothing is communicated."""

    rank: int = 0
    world: int = 1

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def gather(self, rows: Tensor, shares: Sequence[int]) -> Tensor:
        """Rows of all processes in rank order: (shares[rank], d) -> (sum(shares), d).

        Gradients do not pass. Each process computes its own share of them.
        """
        if self.world == 1:
            return rows
        # Collectives need equal sizes, but shares may be uneven.
        padded = rows.new_zeros((max(shares), *rows.shape[1:]))
        padded[: len(rows)] = rows
        pieces = [torch.empty_like(padded) for _ in shares]
        dist.all_gather(pieces, padded)
        return torch.cat([piece[:share] for piece, share in zip(pieces, shares, strict=True)])

    def sum_(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors by their sums over all processes, in one message."""
        tensors = list(tensors)
        if self.world == 1 or not tensors:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        pieces = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, piece in zip(tensors, pieces, strict=True):
            tensor.copy_(piece.view_as(tensor))

    def barrier(self) -> None:
        """Wait until every process is here."""
        if self.world > 1:
            dist.barrier()


def join(device: str) -> tuple[Group, torch.device]:
    """Join the processes that torchrun started, if it did, and choose this one's device.

    Args:
        device: "auto" for a GPU if there is one, or a torch device.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    rank, local = int(os.environ.get("RANK", "0")), int(os.environ.get("LOCAL_RANK", "0"))
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).split("\n", 1)[0]
        raise ConfigError(f"train.device={device}: {reason}") from None
    if chosen.type == "cuda" and chosen.index is None:
        chosen = torch.device("cuda", local)
        torch.cuda.set_device(chosen)
    if world > 1 and not dist.is_initialized():
        end_with_parent()
        backend = "nccl" if chosen.type == "cuda" else "gloo"
        dist.init_process_group(backend, timeout=PATIENCE)
    return Group(rank, world), chosen


def leave() -> None:
    """Leave what `join` joined."""
    if dist.is_initialized():
        dist.destroy_process_group()
