import pytest
import torch

from muscall.audio.mel import LogMel, mel_filters
from muscall.audio.mel_config import MelConfig
from muscall.errors import ConfigError

PUBLISHED = MelConfig(f_max=11025)


def test_filters_equal_the_reference(reference):
    expected = reference("mel_edges")["mel_filterbank"]
    torch.testing.assert_close(mel_filters(PUBLISHED), expected, atol=1e-6, rtol=0)


def test_window_equals_the_reference(reference):
    expected = reference("mel_edges")["window"]
    torch.testing.assert_close(LogMel(PUBLISHED).window, expected, atol=1e-7, rtol=0)


@pytest.mark.parametrize("name", ["silence", "impulse", "odd_length_47999", "short_1024"])
def test_log_mel_equals_the_reference(reference, name):
    arrays = reference("mel_edges")
    computed = LogMel(PUBLISHED)(arrays[f"mel_{name}.audio"]).unsqueeze(1)
    torch.testing.assert_close(computed, arrays[f"mel_{name}.log_mel_db"], atol=1e-3, rtol=0)


def test_log_mel_of_a_sine_equals_the_reference_away_from_the_floor(reference):
    arrays = reference("mel_edges")
    expected = arrays["mel_full_scale_sine.log_mel_db"]
    computed = LogMel(PUBLISHED)(arrays["mel_full_scale_sine.audio"]).unsqueeze(1)
    heard = expected > expected.max() - 60
    assert heard.float().mean() > 0.05
    torch.testing.assert_close(computed[heard], expected[heard], atol=1e-3, rtol=0)
    torch.testing.assert_close(computed, expected, atol=0.05, rtol=0)


def test_log_mel_of_music_like_clips_equals_the_reference(reference):
    arrays = reference("small_attention")
    log_mel = LogMel(PUBLISHED)
    torch.testing.assert_close(
        log_mel.power(arrays["audio"]), arrays["mel_power"], rtol=2e-4, atol=1e-9
    )
    torch.testing.assert_close(
        log_mel(arrays["audio"]).unsqueeze(1), arrays["log_mel_db"], atol=1e-3, rtol=0
    )


@pytest.mark.parametrize("samples", [1, 300, 512, 513, 16000, 45 * 16000])
def test_any_length_gives_finite_values_and_one_frame_a_hop(samples):
    log_mel = LogMel(MelConfig())(0.1 * torch.randn(1, samples))
    assert log_mel.shape == (1, 128, 1 + max(samples, 513) // 512)
    assert log_mel.isfinite().all()


def test_the_floor_follows_each_clip_alone():
    quiet, loud = 1e-3 * torch.randn(1, 16000), torch.randn(1, 16000)
    log_mel = LogMel(MelConfig())
    together = log_mel(torch.cat([quiet, loud]))
    torch.testing.assert_close(together[:1], log_mel(quiet))


def test_relative_decibels_do_not_know_the_level():
    clip = torch.randn(1, 16000) * torch.linspace(0.1, 1, 16000)
    log_mel = LogMel(MelConfig(level_normalised=True))
    torch.testing.assert_close(log_mel(0.05 * clip), log_mel(clip), atol=1e-3, rtol=0)
    absolute = LogMel(MelConfig())(clip)
    shift = absolute - log_mel(clip)
    torch.testing.assert_close(shift, shift.mean().expand_as(shift), atol=1e-4, rtol=0)
    assert log_mel(torch.zeros(1, 16000)).abs().max() == 0


@pytest.mark.parametrize("name", ["sample_rate", "n_mels", "n_fft", "hop", "f_max", "top_db"])
def test_settings_without_a_spectrogram_are_refused(name):
    with pytest.raises(ConfigError, match=name):
        MelConfig.parse({name: 0})
