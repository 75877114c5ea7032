"""musicnn: its log-mel, and the filters that stand anywhere along the bands."""

import pytest
import torch

from muscall.models.config import MUSICNN_RATE
from muscall.models.musicnn import (
    LEVEL,
    MELS,
    PATCH,
    SAMPLES,
    FilterBank,
    Musicnn,
    MusicnnMel,
    mel_filters,
)


def test_the_mel_filters_are_librosas():
    librosa = pytest.importorskip("librosa")
    theirs = torch.from_numpy(librosa.filters.mel(sr=MUSICNN_RATE, n_fft=512, n_mels=MELS))
    torch.testing.assert_close(mel_filters().T, theirs, atol=1e-7, rtol=0)


@pytest.mark.parametrize(("frames", "bands"), [(3, 5), (8, 1), (7, 20)])
def test_a_filter_bank_is_a_convolution_and_its_maximum_after_the_norm(frames, bands):
    torch.manual_seed(0)
    bank = FilterBank(6, frames, bands).eval()
    torch.nn.init.normal_(bank.norm.weight)
    bank.norm.running_mean.normal_()
    assert (bank.norm.weight < 0).any()
    x = torch.randn(2, 30, 20)
    padded = torch.nn.functional.pad(x, (0, 0, (frames - 1) // 2, frames // 2))
    places = bank.layer(padded[:, None]).relu().unbind(dim=-1)
    expected = torch.stack([bank.norm(place) for place in places], dim=-1).amax(dim=-1)
    torch.testing.assert_close(bank(x), expected)


def test_a_network_learns_through_its_filter_banks():
    network = Musicnn()
    logits, features = network(torch.rand(2, PATCH, MELS))
    (logits.sum() + features.sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_the_middle_of_a_window_is_heard_at_one_level():
    torch.manual_seed(0)
    waveform = 0.05 * torch.randn(1, 3 * SAMPLES)
    mel = MusicnnMel()
    heard = mel(waveform)
    assert heard.shape == (1, PATCH, MELS)
    torch.testing.assert_close(mel(0.3 * waveform), heard)
    other = waveform.clone()
    other[:, : SAMPLES // 2] = 0
    torch.testing.assert_close(mel(other), heard)
    patch = waveform[:, SAMPLES : 2 * SAMPLES]
    levelled = patch * LEVEL / patch.square().mean().sqrt()
    torch.testing.assert_close(heard, mel.log_mel(levelled)[:, :PATCH])


def test_silence_is_heard_as_silence():
    assert (MusicnnMel()(torch.zeros(1, SAMPLES)) == 0).all()
