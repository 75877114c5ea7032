"""A training run: from settings to the best checkpoint by validation R@10 (paper, section 4.2)."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path

import torch

from muscall.data.dataset import Batch, PairDataset, TrainSampler, share_sizes, train_loader
from muscall.data.splits import rows_of
from muscall.data.targets import read_targets
from muscall.errors import ConfigError, MuscallError
from muscall.evaluation.retrieval import evaluate_retrieval
from muscall.models.config import ModelConfig, SentenceConfig
from muscall.models.memory import keep_freed_memory
from muscall.models.muscall import MusCALL, load
from muscall.models.precision import native_precision
from muscall.models.sentence import SentenceEncoder
from muscall.models.text import warn_of_long
from muscall.training.compiling import compiles
from muscall.training.config import Config, TrainConfig
from muscall.training.distributed import Group, join, leave
from muscall.training.folder import BEST, LAST, STATE, claim
from muscall.training.interpolation import WeightInterpolation
from muscall.training.journal import Journal, draw_curves
from muscall.training.optimiser import build_optimiser, learning_rate
from muscall.training.sentences import EQUAL, SentenceVectors, equality_vectors, sentence_vectors
from muscall.training.state import load_state, save_state
from muscall.training.step import ContrastiveStep

logger = logging.getLogger("muscall")


def train(config: Config) -> Path:
    """Train as `config` says. A run that was interrupted resumes from its last saved state.

    Writes into `config.train.out`: `best/` and `last/` (checkpoint folders), `state/`,
    `metrics.jsonl`, `curves.png`, `tensorboard/`.

    Returns:
        The folder of the best checkpoint.

    Raises:
        ManifestError: naming every unusable row, before anything is trained.
        ConfigError: when settings contradict each other or those of the run that is there.
        MuscallError: when the loss becomes infinite or NaN.
    """
    group, device = join(config.train.device)
    keep_freed_memory()
    if config.train.threads:
        torch.set_num_threads(config.train.threads)
    try:
        return _Run(config, group, device).run()
    finally:
        leave()


class _Run:
    def __init__(self, config: Config, group: Group, device: torch.device) -> None:
        _check(config)
        settings = config.train
        self.config, self.group, self.device = config, group, device
        self.out = Path(settings.out)
        self.rows, self.validation = rows_of(
            config.data, most=settings.validation_items, seed=settings.seed
        )
        if settings.batch_size > len(self.rows):
            raise ConfigError(
                f"train.batch_size is {settings.batch_size}, "
                f"but {config.data.train} has {len(self.rows)} rows"
            )
        self.epoch_steps = len(self.rows) // settings.batch_size
        self.total = settings.steps or settings.epochs * self.epoch_steps
        torch.manual_seed(settings.seed)
        self.model = _initial(config).to(device)
        _check_heads(config, self.model.config)
        if settings.compile and compiles(device):
            self.model.audio.backbone.compile()
        self.saved = WeightInterpolation(self.model, settings.weight_interpolation)
        self.optimiser = build_optimiser(self.model, settings)
        precision = _precision(settings, device)
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")
        self.contrastive = ContrastiveStep(
            self.model,
            config.loss,
            group,
            device,
            precision=precision,
            micro_batch=settings.micro_batch,
            gradient_caching=settings.gradient_caching,
            seed=settings.seed,
        )
        if config.data.targets:
            targets = torch.from_numpy(read_targets(config.data.targets, self.rows))
            if targets.shape[1] != self.model.config.teacher_dim:
                raise ConfigError(
                    f"model.teacher_dim is {self.model.config.teacher_dim}, but the vectors of "
                    f"{config.data.targets} have {targets.shape[1]} values"
                )
            self.contrastive.targets = targets
        self.best = (-1.0, -1.0)
        if group.is_main:  # last, so that a run that cannot start leaves no folder
            claim(config, self.rows)
            captions = [c for row in self.rows + self.validation for c in row.captions]
            warn_of_long(self.model.text, captions)
        group.barrier()

    def run(self) -> Path:
        if self.config.loss.compares_sentences and self.config.loss.sentence_encoder == EQUAL:
            self.contrastive.sentences = equality_vectors
        elif self.config.loss.compares_sentences:
            sentences = SentenceConfig(pretrained=self.config.loss.sentence_encoder)
            encoder = SentenceEncoder.pretrained(sentences)
            self.contrastive.sentences = self._sentence_vectors(encoder)
        text = self.model.text
        if isinstance(text, SentenceEncoder) and text.config.frozen:
            self.contrastive.frozen_text = self._sentence_vectors(text)
        start = self._resume()
        if start < self.total:
            self._train_from(start)
        if self.group.is_main:
            with self.saved.interpolated():
                self.model.eval().save_pretrained(self.out / LAST)
            draw_curves(self.out)
        self.group.barrier()
        return self.out / BEST

    def _sentence_vectors(self, encoder: SentenceEncoder) -> SentenceVectors:
        captions = [caption for row in self.rows for caption in row.captions]
        cache = self.out / "sentences"
        return sentence_vectors(encoder.to(self.device), captions, cache, self.group)

    def _resume(self) -> int:
        progress = load_state(self.out / STATE, self.model, self.optimiser)
        if progress is None:
            return 0
        self.best = tuple(progress["best"])
        self.scaler.load_state_dict(progress["scaler"])
        step = int(progress["step"])
        if self.group.is_main:
            logger.info("%s: going on after step %d of %d", self.out, step, self.total)
        return step

    def _train_from(self, start: int) -> None:
        settings = self.config.train
        shares = share_sizes(settings.batch_size, settings.micro_batch, self.group.world)
        views = 2 if self.config.loss.ssl_weight else 1
        audio = self.model.config.audio
        dataset = PairDataset(
            self.rows,
            self.config.data,
            seconds=audio.window_seconds,
            sample_rate=audio.sample_rate,
            seed=settings.seed,
            views=views,
        )
        sampler = TrainSampler(
            len(self.rows),
            settings.batch_size,
            seed=settings.seed,
            start_step=start,
            total_steps=self.total,
            micro_batch=settings.micro_batch,
            rank=self.group.rank,
            world=self.group.world,
        )
        pinned = self.config.data.pin_memory and self.device.type == "cuda"
        loader = train_loader(dataset, sampler, workers=self.config.data.workers, pin_memory=pinned)
        every = settings.validate_every or self.epoch_steps
        journal = Journal(self.out, start, self.total) if self.group.is_main else None
        try:
            for step, batch in enumerate(loader, start):
                values = self._step(step, batch, shares)
                done = step + 1
                if journal:
                    journal.record(step, values, kind="train")
                    journal.advance(f"loss {values['loss']:.3f}")
                last = done == self.total
                if done % every == 0 or last:
                    self._validate(step, journal)
                if (done % settings.save_every == 0 or done % every == 0 or last) and journal:
                    self._save(done)
        finally:
            if journal:
                journal.close()

    def _step(self, step: int, batch: Batch, shares: Sequence[int]) -> dict[str, float]:
        settings = self.config.train
        self.model.train()
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(step, self.total, settings)
        scale = self.scaler.get_scale()
        parts = self.contrastive.gradients(batch, step, shares, loss_scale=scale)
        if not math.isfinite(parts["loss"]):
            raise MuscallError(f"the loss of step {step + 1} is not finite: lower train.lr")
        self.scaler.unscale_(self.optimiser)
        most = math.inf if settings.clip_norm is None else settings.clip_norm
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), most)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.model.limit_scale()
        return {
            **{name: part.item() for name, part in parts.items()},
            "gradient_norm": norm.item(),
            "logit_scale": self.model.scale().item(),
            "lr": self.optimiser.param_groups[0]["lr"],
        }

    def _validate(self, step: int, journal: Journal | None) -> None:
        """Measure retrieval. Save the model if its text-to-audio R@10, then mAP10, is the best."""
        if journal:
            self.model.eval()
            with self.saved.interpolated():
                result = evaluate_retrieval(self.model, self.validation).text_to_audio
                journal.record(step, result, kind="validation")
                score = (result["R@10"], result["mAP10"])
                if score > self.best:
                    self.best = score
                    self.model.save_pretrained(self.out / BEST)
        self.group.barrier()

    def _save(self, done: int) -> None:
        progress = {"step": done, "best": self.best, "scaler": self.scaler.state_dict()}
        save_state(self.out / STATE, self.model, self.optimiser, progress)


def _initial(config: Config) -> MusCALL:
    """The model that training starts from."""
    if not config.train.init:
        return MusCALL(config.model)
    return load(config.train.init, device="cpu")


def _precision(settings: TrainConfig, device: torch.device) -> str:
    if settings.precision != "auto":
        return settings.precision
    return "bf16" if native_precision(device) == torch.bfloat16 else "fp32"


def _check(config: Config) -> None:
    if not config.data.train or not (config.data.val or config.data.val_share):
        raise ConfigError("data.train and data.val name the manifests to train and to validate on")
    if config.train.init and "model" in config.model_fields_set:
        raise ConfigError(f"train.init: {config.train.init} brings its own model settings")
    if config.train.weight_interpolation and not config.train.init:
        raise ConfigError("train.weight_interpolation is the share of train.init, which is not set")


def _check_heads(config: Config, model: ModelConfig) -> None:
    if (config.loss.kind == "sigmoid") != (model.logit_bias is not None):
        raise ConfigError("loss.kind=sigmoid and model.logit_bias are set together, or neither")
    if bool(config.loss.ssl_weight) != bool(model.ssl_dim):
        raise ConfigError("loss.ssl_weight and model.ssl_dim are set together, or neither")
    teacher = (config.loss.distillation_weight, model.teacher_dim, config.data.targets)
    if any(teacher) and not all(teacher):
        raise ConfigError(
            "loss.distillation_weight, model.teacher_dim and data.targets are set together, "
            "or none of them"
        )
