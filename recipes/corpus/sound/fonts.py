"""The SoundFonts that rendered parts may play through, and how this run plays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from recipes.corpus.packages import Package, debian

_CACHE = Path(__file__).parents[3] / "corpora" / "cache"


@dataclass(frozen=True)
class SoundFont:
    """A SoundFont, the Debian package that has it, its licence, and how often it is drawn."""

    name: str
    package: str
    path: str
    maker: str
    licence: str
    weight: float


SOUNDFONTS = {
    font.name: font
    for font in (
        SoundFont("FluidR3 GM", "fluid-soundfont-gm", "usr/share/sounds/sf2/FluidR3_GM.sf2",
                  "Frank Wen", "MIT", 3.0),
        SoundFont("TimGM6mb", "timgm6mb-soundfont", "usr/share/sounds/sf2/TimGM6mb.sf2",
                  "Tim Brechbill", "GPL-2.0-only", 2.0),
        SoundFont("MuseScore General", "musescore-general-soundfont-lossless",
                  "usr/share/sounds/sf2/MuseScore_General_Full.sf2",
                  "S. Christian Collins", "MIT", 3.0),
        SoundFont("GMbank", "csound-soundfont", "usr/share/sounds/sf2/sf_GMbank.sf2",
                  "unknown, shipped by Csound", "public domain", 1.5),
        SoundFont("OPL-3 FM", "opl3-soundfont", "usr/share/sounds/sf2/OPL-3_FM_128M.sf2",
                  "Zandro Reveille", "CC-BY-SA-4.0", 0.5),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """How this run plays; set once, before worker processes start."""

    fonts: tuple[str, ...] = tuple(SOUNDFONTS)
    cache: Path = _CACHE
    human: bool = True
    doubled: float = 0.12  # share of clips that two SoundFonts play together
    reverb: bool = False  # FluidSynth's own, where no effects follow


settings = Settings()


def package(font: SoundFont) -> Package:
    """The font's package, downloaded unless it is there; raises PackageError."""
    return debian(font.package, settings.cache)


def licences(played: Iterable[dict[str, str]]) -> str:
    """The licences of the SoundFonts that `synth.perform` says it played."""
    return " and ".join(sorted({font["licence"] for font in played}))
