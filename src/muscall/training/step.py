"""One training step: exact contrastive gradients for any batch, memory and number of processes.

The loss needs the embeddings of the whole batch, but the encoders need not see it at once. Each
micro-batch is encoded by itself. The embeddings of all micro-batches and processes are gathered,
and the loss gives a gradient for each embedding. Each micro-batch then passes its gradients back
through the encoders, which encode it again if their activations were not kept (GradCache, Gao et
al., Scaling deep contrastive learning batch size under memory limited setup, 2021).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from muscall.data.dataset import Batch
from muscall.losses import LossConfig, objective
from muscall.models.heads import Outputs
from muscall.models.muscall import MusCALL
from muscall.training.distributed import Group
from muscall.training.sentences import SentenceVectors

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class RunningStatistics:
    """The batch norms' running statistics, updated once a step by the mean over micro-batches.

    Updated by each micro-batch, they would depend on the order of micro-batches, on which process
    has which, and on whether the encoders run twice. During a step the norms write to copies.
    """

    def __init__(self, model: nn.Module) -> None:
        norms = (m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm))
        # The norms of a frozen encoder are in evaluation mode and are not updated.
        self.norms = [norm for norm in norms if norm.weight.requires_grad]
        self.kept: list[dict[str, Tensor | None]] = []
        self.total: list[Tensor] = []

    def begin(self) -> None:
        self.kept = [dict(norm._buffers) for norm in self.norms]
        self.total = [torch.zeros_like(buffer) for buffer in self._current()]
        self._use_copies()

    def collect(self, share: float) -> None:
        """Add the update of one micro-batch, which has a `share` of the batch, and undo it."""
        for total, buffer in zip(self.total, self._current(), strict=True):
            total.add_(buffer, alpha=share)
        self._use_copies()

    def finish(self, group: Group) -> None:
        for norm, kept in zip(self.norms, self.kept, strict=True):
            norm._buffers.update(kept)
        group.sum_(self.total)
        for buffer, total in zip(self._current(), self.total, strict=True):
            buffer.copy_(total)
        for norm in self.norms:
            norm.get_buffer("num_batches_tracked").add_(1)

    def _current(self) -> list[Tensor]:
        names = ("running_mean", "running_var")
        return [norm.get_buffer(name) for norm in self.norms for name in names]

    def _use_copies(self) -> None:
        # New tensors each time: the backward pass of the micro-batch before holds on to its own.
        for norm, kept in zip(self.norms, self.kept, strict=True):
            copies = {name: buffer.clone() for name, buffer in kept.items() if buffer is not None}
            norm._buffers.update(copies)


@dataclass
class ContrastiveStep:
    """Computes the gradients of a step.

    `sentences` has the vectors by which sentences are compared, `frozen_text` the features of a
    text encoder that is not trained, `targets` (rows, dim) a teacher's vectors for distillation.
    With `gradient_caching` the encoders run twice and keep no activations in between.
    """

    model: MusCALL
    loss: LossConfig
    group: Group
    device: torch.device
    precision: str = "fp32"
    micro_batch: int = 32
    gradient_caching: bool = True
    seed: int = 0
    sentences: Callable[[Sequence[str]], Tensor] | None = None
    frozen_text: SentenceVectors | None = None
    targets: Tensor | None = None

    def __post_init__(self) -> None:
        self.statistics = RunningStatistics(self.model)

    def gradients(
        self, batch: Batch, step: int, shares: Sequence[int], *, loss_scale: float | Tensor = 1.0
    ) -> dict[str, Tensor]:
        """Set every parameter's `.grad` to the gradient of the loss over the global batch.

        Args:
            batch: this process' share of the batch.
            step: number of the step; it seeds the dropout.
            shares: items of each process; their sum is the global batch.
            loss_scale: factor on the gradients, against underflow in fp16.

        Returns:
            The loss and its parts, each 0-d, detached and unscaled; the same in every process.
        """
        self.model.zero_grad(set_to_none=True)
        self.statistics.begin()
        first_item = sum(shares[: self.group.rank])
        micros = [
            (self._part(batch, start), first_item + start)
            for start in range(0, len(batch.captions), self.micro_batch)
        ]
        outputs = []
        with torch.set_grad_enabled(not self.gradient_caching):
            for micro, place in micros:
                outputs.append(self._encode(micro, step, place))
                self.statistics.collect(len(micro.captions) / sum(shares))
        parts, gradients = self._contrast(outputs, batch, shares, loss_scale)
        for number, (micro, place) in enumerate(micros):
            rows = outputs[number].present()
            if self.gradient_caching:
                rows = self._encode(micro, step, place).present()
            start = number * self.micro_batch
            end = start + len(micro.captions)
            wanted = [name for name in gradients if rows[name].requires_grad]
            torch.autograd.backward(
                [rows[name] for name in wanted], [gradients[name][start:end] for name in wanted]
            )
        self.statistics.finish(self.group)
        # Every process already has the whole gradient of the parameters in the loss itself.
        self.group.sum_(
            parameter.grad
            for name, parameter in self.model.named_parameters()
            if parameter.grad is not None and name not in ("logit_scale", "logit_bias")
        )
        return parts

    def _part(self, batch: Batch, start: int) -> Batch:
        end = start + self.micro_batch
        return Batch(batch.audio[:, start:end], batch.captions[start:end], batch.index[start:end])

    def _encode(self, micro: Batch, step: int, place: int) -> Outputs:
        # Dropout depends only on the step and the micro-batch's place in the global batch. So the
        # second run repeats the first, and neither processes nor interruptions change it.
        torch.manual_seed(
            int(np.random.SeedSequence((self.seed, step, place)).generate_state(1)[0])
        )
        if self.frozen_text is None:
            text = self.model.text.tokenize(micro.captions)
        else:
            text = self.frozen_text(micro.captions)
        with torch.autocast(
            self.device.type, DTYPES[self.precision], enabled=self.precision != "fp32"
        ):
            outputs: Outputs = self.model(
                micro.audio.to(self.device, non_blocking=True),
                text.to(self.device, non_blocking=True),
            )
        return outputs

    def _contrast(
        self,
        outputs: Sequence[Outputs],
        batch: Batch,
        shares: Sequence[int],
        loss_scale: float | Tensor,
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The loss over the global batch and its gradients for this process' rows."""
        parts = [rows.present() for rows in outputs]
        whole = Outputs(
            **{
                name: self.group.gather(
                    torch.cat([part[name] for part in parts]).detach(), shares
                ).requires_grad_()
                for name in parts[0]
            }
        )
        similarity = None
        if self.sentences is not None:
            vectors = self.group.gather(self.sentences(batch.captions).to(self.device), shares)
            similarity = vectors @ vectors.T
        views = teacher = None
        if whole.first_view is not None and whole.second_view is not None:
            views = whole.first_view, whole.second_view
        if whole.teacher is not None and self.targets is not None:
            targets = self.group.gather(self.targets[batch.index].to(self.device), shares)
            teacher = whole.teacher, targets
        losses = objective(
            self.loss,
            whole.audio,
            whole.text,
            self.model.scale(),
            bias=self.model.logit_bias,
            similarity=similarity,
            views=views,
            teacher=teacher,
        )
        (losses["loss"] * loss_scale).backward()  # type: ignore[no-untyped-call]
        start = sum(shares[: self.group.rank])
        end = start + shares[self.group.rank]
        gradients = {
            name: rows.grad[start:end]
            for name, rows in whole.present().items()
            if rows.grad is not None
        }
        return {name: loss.detach() for name, loss in losses.items()}, gradients
