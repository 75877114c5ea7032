"""Train every variant of Tables 1, 2 and 4 and of Figure 3 on one GPU.

    python -m recipes.paper.train runs/paper --steps 500 --minutes 9

All log-mels lie in the GPU's memory. Whole batches fit, so a step is one backward pass, and a CUDA
graph of it keeps the GPU busy; several processes share it. Appends a line to `results.jsonl` after
each training, the most important first, and begins none after so many minutes.
"""

from __future__ import annotations

import argparse
import json
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from muscall.evaluation.metrics import ranks, retrieval_metrics
from muscall.evaluation.retrieval import right_items
from muscall.losses import objective
from muscall.models.muscall import MusCALL
from muscall.models.transformer import TextTransformer
from muscall.models.wordvectors import WordVectors
from muscall.text.words import word_tokenizer
from muscall.training.config import Config
from muscall.training.optimiser import build_optimiser, learning_rate
from recipes.paper.augment import MelAugment
from recipes.paper.prepare import FLOOR_DB, STEP_DB
from recipes.paper.variants import BASE, SSL, Job, jobs

CONFIGS = Path(__file__).parents[2] / "configs"
RESULTS = "results.jsonl"
LR = 5e-4
SPLITS = ("train", "val", "test")


class Pairs:
    """All log-mels and captions, on the device."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        told = json.loads((folder / "rows.json").read_text("utf-8"))
        rows = told["rows"]
        self.device, self.vocabulary = device, told["vocabulary"]
        self.mels = torch.from_numpy(np.load(folder / "mels.npy")).to(device)
        with np.load(folder / "text.npz") as text:
            self.vectors = torch.from_numpy(text["vectors"])
            self.tokens, self.words, self.labels = (
                torch.from_numpy(text[name].astype(np.int64)).to(device)
                for name in ("tokens", "words", "labels")
            )
            self.sentences = torch.from_numpy(text["sentences"]).to(device)
        counts = np.array([len(row["caption"]) for row in rows])
        self.count = torch.from_numpy(counts).to(device)
        self.first = torch.from_numpy(counts.cumsum() - counts).to(device)
        self.captions = [row["caption"] for row in rows]
        self.split = {
            name: np.array([i for i, row in enumerate(rows) if row["split"] == name])
            for name in SPLITS
        }
        self.augment = MelAugment(device)

    def mel(self, rows: Tensor, start: Tensor, frames: int) -> Tensor:
        """(n, mels, frames) float32 dB of rows (n,), from a frame of each (n,) on."""
        band = torch.arange(self.mels.shape[1], device=self.device)[None, :, None]
        place = (start[:, None] + torch.arange(frames, device=self.device))[:, None, :]
        return self.mels[rows[:, None, None], band, place].float() * STEP_DB + FLOOR_DB


class Training:
    """A model, its optimiser, and the tensors that a step reads."""

    def __init__(self, pairs: Pairs, job: Job, *, batch: int, steps: int) -> None:
        self.pairs, self.job, self.batch, self.steps = pairs, job, batch, steps
        self.device = pairs.device
        self.baseline = job.config.startswith("dcase")
        changes = [
            f"model.audio.window_seconds={job.seconds:g}", f"train.seed={job.seed}",
            f"train.batch_size={batch}", f"train.steps={steps}", *job.settings,
        ]  # fmt: skip
        # The baseline hears the same log-mels, pairs of bands joined to its 64.
        changes += (
            ["model.audio.mel.n_fft=1024", "model.audio.mel.hop=512"]
            if self.baseline
            else [f"train.lr={LR}"]
        )
        self.config = Config.read(CONFIGS / f"{job.config}.yaml", changes)
        torch.manual_seed(job.seed)
        self.model = MusCALL(self.config.model, self._text_encoder()).to(self.device)
        self.optimiser = build_optimiser(self.model, self.config.train)
        self.views = 2 if self.config.loss.ssl_weight else 1
        audio = self.config.model.audio
        self.frames = 1 + audio.window_samples // audio.mel.hop
        self.room = pairs.mels.shape[2] - self.frames
        self.captions = pairs.words if self.baseline else pairs.tokens
        self.random = np.random.default_rng(job.seed)
        self.generator = torch.Generator(self.device).manual_seed(job.seed)
        self.order = np.empty(0, np.int64)
        mels = pairs.mels.shape[1]
        self.mel = torch.zeros(self.views * batch, mels, self.frames, device=self.device)
        self.tokens = torch.zeros_like(self.captions[:batch])
        self.similarity = torch.zeros(batch, batch, device=self.device)
        self.loss = torch.zeros((), device=self.device)
        self.graph: Any = None
        self._draw()
        # The baseline's recurrent layer is left out of graphs.
        if self.device.type == "cuda" and not self.baseline:
            self._capture()

    def _text_encoder(self) -> WordVectors | None:
        text = self.config.model.text
        if text.kind != "word2vec":
            return None
        size = self.pairs.vectors.shape[1]
        encoder = WordVectors(
            text.model_copy(update={"vector_size": size}), word_tokenizer(self.pairs.vocabulary)
        )
        encoder.load_state_dict({"vectors.weight": self.pairs.vectors})
        return encoder

    def _draw(self) -> None:
        """The next batch, into the tensors that a step reads."""
        pairs = self.pairs
        if len(self.order) < self.batch:
            self.order = self.random.permutation(pairs.split["train"])
        rows = torch.from_numpy(self.order[: self.batch]).to(self.device)
        self.order = self.order[self.batch :]
        drawn = torch.rand(self.batch, device=self.device, generator=self.generator)
        captions = pairs.first[rows] + (drawn * pairs.count[rows]).long()
        self.tokens.copy_(self.captions[captions])
        if self.config.loss.compares_sentences:
            vectors = pairs.sentences[captions]
            self.similarity.copy_(vectors @ vectors.T)
        for mel in self.mel.split(self.batch):
            start = torch.full((self.batch,), self.room // 2, device=self.device)
            if self.job.crop:
                start.random_(self.room + 1, generator=self.generator)
            clips = pairs.mel(rows, start, self.frames)
            mel.copy_(pairs.augment(clips, self.generator) if self.job.augment else clips)

    def _features(self, mel: Tensor) -> Tensor:
        if self.baseline:
            power = (10 ** (mel / 10)).unflatten(1, (64, -1)).mean(dim=2)
            mel = 10 * torch.log10(power.clamp(min=1e-10))
        audio = self.model.audio
        features: Tensor = audio.pool(audio.backbone(mel.unsqueeze(1)))
        return features

    def _embed_text(self, tokens: Tensor) -> Tensor:
        """As the model does it, but with the padding, so that all shapes are fixed."""
        text = self.model.text
        if not isinstance(text, TextTransformer):
            return self.model.project_text(text(tokens))
        count, longest = tokens.shape
        places = torch.arange(count * longest, device=self.device)
        x = text.token_embedding(tokens.flatten())
        x = text.dropout(x + text.position_embedding[places % longest])
        for block in text.blocks:
            x = block(x, places, tokens.shape)
        ends = torch.arange(count, device=self.device) * longest + tokens.argmax(dim=1)
        return self.model.project_text(text.norm(x[ends]))

    def _autocast(self) -> torch.autocast:
        # A graph must not take a weight's copy from an earlier step.
        return torch.autocast(self.device.type, torch.bfloat16, cache_enabled=False)

    def _backward(self) -> None:
        config = self.config.loss
        views = None
        with self._autocast():
            features = self._features(self.mel)
            audio = self.model.project_audio(features[: self.batch])
            text = self._embed_text(self.tokens)
            if self.model.ssl_head is not None:
                views = self.model.ssl_head(features).float().split(self.batch)
        similarity = self.similarity if config.compares_sentences else None
        scale = self.model.scale()
        parts = objective(config, audio, text, scale, similarity=similarity, views=views)
        parts["loss"].backward()
        self.loss = parts["loss"].detach()

    def _capture(self) -> None:
        self.model.train()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.model.zero_grad()
                self._backward()
        torch.cuda.current_stream().wait_stream(stream)
        self.model.zero_grad()
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, capture_error_mode="thread_local"):
            self._backward()

    def step(self, number: int) -> Tensor:
        """Train on a batch -> (2,) its loss and the norm of the gradient."""
        settings = self.config.train
        self.model.train()
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(number, self.steps, settings)
        self._draw()
        if self.graph is None:
            self.model.zero_grad()
            self._backward()
        else:
            self.graph.replay()
        trained = [weight for weight in self.model.parameters() if weight.grad is not None]
        if self.config.loss.weighting == "raw":  # its norm is infinite, and would clip all to zero
            norm = torch.nn.utils.get_total_norm([weight.grad for weight in trained])
        else:
            norm = torch.nn.utils.clip_grad_norm_(trained, settings.clip_norm or torch.inf)
        self.optimiser.step()
        self.model.limit_scale()
        return torch.stack([self.loss, norm])

    @torch.no_grad()
    def embeddings(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """(rows, dim) of the central crops and of the captions."""
        self.model.eval()
        audio, text = [], []
        for rows in torch.from_numpy(self.pairs.split[split]).to(self.device).split(250):
            start = torch.full_like(rows, self.room // 2)
            with self._autocast():
                mel = self.pairs.mel(rows, start, self.frames)
                audio.append(self.model.project_audio(self._features(mel)))
                text.append(self._embed_text(self.captions[self.pairs.first[rows]]))
        return torch.cat(audio).cpu().numpy(), torch.cat(text).cpu().numpy()

    @torch.no_grad()
    def label_embeddings(self) -> np.ndarray:
        """(labels and templates, dim) of what zero-shot asks for."""
        self.model.eval()
        with self._autocast():
            return self._embed_text(self.pairs.labels).cpu().numpy()

    def score(self, split: str) -> dict[str, Any]:
        """Both directions, and the ranks."""
        audio, text = self.embeddings(split)
        right, _ = right_items([self.pairs.captions[row] for row in self.pairs.split[split]])
        similarity = np.nan_to_num(text @ audio.T)  # what has diverged finds nothing
        ways = {"T2A": (similarity, right), "A2T": (similarity.T, right.T)}
        found: dict[str, Any] = {way: retrieval_metrics(*pair) for way, pair in ways.items()}
        return found | {"ranks": {way: ranks(*pair).tolist() for way, pair in ways.items()}}


def train(pairs: Pairs, job: Job, folder: Path, *, batch: int, steps: int) -> dict[str, Any]:
    """Train and score; of the models of Table 2 the embeddings are kept in `folder`."""
    began = time.monotonic()
    training = Training(pairs, job, batch=batch, steps=steps)
    curve, validation = [], []
    for number in range(steps):
        values = training.step(number)
        if number % 10 == 0 or number == steps - 1:
            curve.append(values)
        if 4 * (number + 1) % steps < 4:
            validation.append([number + 1, training.score("val")["T2A"]["R@10"]])
    scores = training.score("test")
    if job.name in (BASE, SSL):
        audio, labels = training.embeddings("test")[0], training.label_embeddings()
        np.savez(folder / f"kept-{job.name}-{job.seed}.npz", audio=audio, labels=labels)
    losses, norms = torch.stack(curve).T.tolist()
    return {
        **asdict(job), "steps": steps, "batch": batch, "train_rows": len(pairs.split["train"]),
        "seconds_taken": time.monotonic() - began, "validation_R@10": validation,
        "loss": losses, "gradient_norm": norms, **scores,
    }  # fmt: skip


def _worker(options: argparse.Namespace, todo: list[Job], turn: Any, until: float) -> None:
    torch.set_num_threads(1)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    pairs = Pairs(options.folder, torch.device(options.device))
    while time.time() < until:
        with turn.get_lock():
            number = turn.value
            turn.value += 1
        if number >= len(todo):
            return
        job = todo[number]
        try:
            found = train(pairs, job, options.folder, batch=options.batch, steps=options.steps)
        except Exception:  # the others go on
            traceback.print_exc()
            continue
        with turn.get_lock(), (options.folder / RESULTS).open("a") as file:
            file.write(json.dumps(found) + "\n")
        print(f"{job.name}, seed {job.seed}: R@10 {found['T2A']['R@10']:.1f}", flush=True)


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Train the variants of the paper's tables.")
    parser.add_argument("folder", type=Path, help="of recipes.paper.prepare")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--workers", type=int, default=6, help="processes that share the GPU")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--only", nargs="*", default=[], help="names of variants")
    options = parser.parse_args()
    todo, until = jobs(options.only), time.time() + 60 * options.minutes
    context = torch.multiprocessing.get_context("spawn")
    turn = context.Value("i", 0)
    processes = [
        context.Process(target=_worker, args=(options, todo, turn, until))
        for _ in range(min(options.workers, len(todo)))
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


if __name__ == "__main__":
    main()
