"""A training run: from settings to the best checkpoint by validation R@10 (paper, section 4.2)."""

from __future__ import annotations

import json
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
from muscall.models.checkpoint import written_aside
from muscall.models.config import ModelConfig, SentenceConfig
from muscall.models.memory import keep_freed_memory
from muscall.models.muscall import MusCALL, load
from muscall.models.precision import native_precision
from muscall.models.sentence import SentenceEncoder
from muscall.training.blend import Blend
from muscall.training.config import Config, TrainConfig
from muscall.training.distributed import Group, join, leave
from muscall.training.engine import Engine
from muscall.training.journal import Journal, draw_curves
from muscall.training.optimiser import build_optimiser, learning_rate
from muscall.training.sentences import SentenceVectors, sentence_vectors
from muscall.training.state import load_state, save_state

logger = logging.getLogger("muscall")

BEST, LAST, STATE, SETTINGS = "best", "last", "state", "config.json"


def train(config: Config) -> Path:
    """Train as `config` says; go on where an interrupted run of the same settings stopped.

    Writes into `config.train.out`: `best/` and `last/` (checkpoint folders), `state/`,
    `metrics.jsonl`, `curves.png`, `tensorboard/`.

    Returns:
        The folder of the best checkpoint.

    Raises:
        ManifestError: naming every unusable row, before anything is trained.
        ConfigError: when settings contradict each other or those of the run that is there.
        MuscallError: when the loss is not finite any more.
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
        self.kept = Blend(self.model, settings.blend)
        self.optimiser = build_optimiser(self.model, settings)
        precision = _precision(settings, device)
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")
        self.engine = Engine(
            self.model,
            config.loss,
            group,
            device,
            precision=precision,
            micro_batch=settings.micro_batch,
            recompute=settings.recompute,
            seed=settings.seed,
        )
        if config.data.targets:
            targets = torch.from_numpy(read_targets(config.data.targets, self.rows))
            if targets.shape[1] != self.model.config.teacher_dim:
                raise ConfigError(
                    f"model.teacher_dim is {self.model.config.teacher_dim}, but the vectors of "
                    f"{config.data.targets} have {targets.shape[1]} values"
                )
            self.engine.targets = targets
        self.best = (-1.0, -1.0)
        if group.first:  # only now: what cannot be trained claims no folder
            self._claim_folder()
        group.wait()

    def _claim_folder(self) -> None:
        """Refuse a folder that holds a run with other settings; what cannot matter may differ."""
        path = self.out / SETTINGS
        now = comparable(self.config)
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            # Settings that are newer than the run have their defaults in it.
            stated = [f"{name}={json.dumps(kept[name], ensure_ascii=False)}" for name in kept]
            then = comparable(Config.build({}, stated, str(path)))
            for name in sorted(now.keys() | then.keys()):
                if now.get(name) != then.get(name):
                    raise ConfigError(
                        f"{self.out} holds a run with {name}={then.get(name)}, not {now.get(name)}:"
                        " choose another train.out or remove it"
                    )
            return
        with written_aside(self.out) as aside:
            (aside / SETTINGS).write_text(json.dumps(now, indent=2), encoding="utf-8")

    def run(self) -> Path:
        if self.config.loss.compares_sentences:
            weigher = SentenceConfig(pretrained=self.config.loss.sentence_encoder)
            self.engine.sentences = self._sentence_vectors(SentenceEncoder.pretrained(weigher))
        text = self.model.text
        if isinstance(text, SentenceEncoder) and text.config.frozen:
            self.engine.frozen_text = self._sentence_vectors(text)
        start = self._resume()
        if start < self.total:
            self._train_from(start)
        if self.group.first:
            with self.kept.blended():
                self.model.eval().save_pretrained(self.out / LAST)
            logger.info("curves: %s", draw_curves(self.out))
        self.group.wait()
        return self.out / BEST

    def _sentence_vectors(self, encoder: SentenceEncoder) -> SentenceVectors:
        captions = [caption for row in self.rows for caption in row.captions]
        if not self.group.first:
            self.group.wait()
        vectors = sentence_vectors(encoder, captions, self.out / "sentences")
        if self.group.first:
            self.group.wait()  # the others then find the result on disk
        return vectors

    def _resume(self) -> int:
        progress = load_state(self.out / STATE, self.model, self.optimiser)
        if progress is None:
            return 0
        self.best = tuple(progress["best"])
        self.scaler.load_state_dict(progress["scaler"])
        step = int(progress["step"])
        if self.group.first:
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
        loader = train_loader(dataset, sampler, workers=self.config.data.workers)
        every = settings.validate_every or self.epoch_steps
        journal = Journal(self.out, start, self.total) if self.group.first else None
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
        parts = self.engine.gradients(batch, step, shares, loss_scale=scale)
        if not math.isfinite(parts["loss"]):
            raise MuscallError(f"the loss of step {step + 1} is not finite: lower train.lr")
        self.scaler.unscale_(self.optimiser)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip_norm)
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
        """Measure retrieval; keep the weights if text-to-audio R@10, then mAP10, is the best."""
        if journal:
            self.model.eval()
            with self.kept.blended():
                result = evaluate_retrieval(self.model, self.validation).text_to_audio
                journal.record(step, result, kind="validation")
                score = (result["R@10"], result["mAP10"])
                if score > self.best:
                    self.best = score
                    self.model.save_pretrained(self.out / BEST)
        self.group.wait()

    def _save(self, done: int) -> None:
        progress = {"step": done, "best": self.best, "scaler": self.scaler.state_dict()}
        save_state(self.out / STATE, self.model, self.optimiser, progress)


def _initial(config: Config) -> MusCALL:
    """The model that training starts from."""
    if not config.train.init:
        return MusCALL.create(config.model)
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
    if config.train.blend and not config.train.init:
        raise ConfigError("train.blend is the share of train.init, which is not set")


def _check_heads(config: Config, model: ModelConfig) -> None:
    if (config.loss.kind == "sigmoid") != (model.logit_bias is not None):
        raise ConfigError("loss.kind=sigmoid and model.logit_bias are set together, or neither")
    if bool(config.loss.ssl_weight) != bool(model.ssl_dim):
        raise ConfigError("loss.ssl_weight and model.ssl_dim are set together, or neither")
    taught = (config.loss.distillation_weight, model.teacher_dim, config.data.targets)
    if any(taught) and not all(taught):
        raise ConfigError(
            "loss.distillation_weight, model.teacher_dim and data.targets are set together, "
            "or none of them"
        )


def comparable(config: Config) -> dict[str, object]:
    """Dotted settings that the result depends on."""
    ignored = {"train.out", "train.device", "train.threads", "train.save_every", "data.workers"}

    def flat(values: dict[str, object], prefix: str = "") -> dict[str, object]:
        found: dict[str, object] = {}
        for name, value in values.items():
            if isinstance(value, dict):
                found |= flat(value, f"{prefix}{name}.")
            elif prefix + name not in ignored:
                found[prefix + name] = value
        return found

    return flat(config.model_dump(mode="json"))
