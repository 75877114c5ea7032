"""The settings of the log-mel, apart from it: who reads settings need not wait for torch."""

from __future__ import annotations

from pydantic import Field

from muscall.records import Record


class MelConfig(Record):
    """Settings of the log-mel front end. Frequencies in Hz, lengths in samples."""

    sample_rate: int = Field(default=16000, ge=1)
    n_mels: int = Field(default=128, ge=1)
    n_fft: int = Field(default=1024, ge=2)
    hop: int = Field(default=512, ge=1)
    f_min: float = Field(default=0.0, ge=0)
    f_max: float = Field(default=8000.0, gt=0)
    top_db: float = Field(default=100.0, gt=0)
    level_normalised: bool = False
    """Decibels relative to each clip's mean power, so that the level of a recording makes no
    difference (not in the paper)."""
