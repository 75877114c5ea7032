"""Sentence vectors: computed once, and by all processes together."""

from pathlib import Path

import torch
import torch.distributed as dist

from muscall.models.config import SentenceConfig
from muscall.models.sentence import SentenceEncoder
from muscall.training.distributed import Group
from muscall.training.sentences import equality_vectors, sentence_vectors

# The last batch is not full, and the second process has no part in it.
CAPTIONS = [f"{'slow ' * (number % 7)}jazz number {number}" for number in range(150)]


def computed(cache: Path, group: Group) -> tuple[torch.Tensor, int]:
    """The vectors of CAPTIONS, and how many sentences this process encoded for them."""
    encoder = SentenceEncoder.pretrained(SentenceConfig())
    encoded: list[int] = []
    encoder.register_forward_hook(lambda *call: encoded.append(len(call[2])))
    return sentence_vectors(encoder, CAPTIONS, cache, group)(CAPTIONS), sum(encoded)


def of_one_of_two(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    torch.save(computed(folder / "shared", Group(rank, 2)), folder / f"{rank}.pt")
    torch.save(computed(folder / "shared", Group(rank, 2)), folder / f"{rank}-again.pt")
    dist.destroy_process_group()


def test_each_process_encodes_its_share_and_all_have_the_whole(tmp_path):
    torch.multiprocessing.spawn(of_one_of_two, (tmp_path,), nprocs=2)
    alone, count = computed(tmp_path / "alone", Group())
    assert count == 150
    shares = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    assert [count for _, count in shares] == [86, 64]
    for rank, (vectors, _) in enumerate(shares):
        torch.testing.assert_close(vectors, alone)
        again, count = torch.load(tmp_path / f"{rank}-again.pt")
        assert count == 0
        assert torch.equal(again, vectors)


def test_sentence_vectors_are_computed_once(tmp_path, monkeypatch):
    captions = ["slow jazz", "quiet slow jazz", "techno", "slow jazz"]
    encoder = SentenceEncoder.pretrained(SentenceConfig())
    vectors = sentence_vectors(encoder, captions, tmp_path, Group())
    monkeypatch.setattr(encoder, "forward", None)
    cached = sentence_vectors(encoder, captions, tmp_path, Group())
    assert torch.equal(vectors(captions), cached(captions))
    jazz, quiet, techno = vectors(captions[:3])
    assert jazz @ quiet > 0.7 > jazz @ techno


def test_equal_captions_alone_are_the_same() -> None:
    captions = ["Rock music", "Rock music", "rock music", "\udcff"]
    captions += [f"song {number}" for number in range(500)]
    vectors = equality_vectors(captions)
    similarity = vectors @ vectors.T
    torch.testing.assert_close(similarity.diagonal(), torch.ones(len(captions)))
    assert torch.equal(similarity >= 0.99, torch.tensor(
        [[one == other for other in captions] for one in captions]
    ))  # fmt: skip
