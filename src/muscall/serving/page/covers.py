"""A picture for a track that has no cover."""

from __future__ import annotations

from hashlib import blake2b
from math import pi, sin

_SIZE = 120


def drawn(key: str) -> bytes:
    """An SVG of 120 x 120 that is always the same for a track, and seldom that of another."""
    digest = blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()
    hue, turn = 360 * digest[0] // 256, (40, 150, 200, 320)[digest[1] % 4]
    light, deep = f"hsl({hue} 68% 62%)", f"hsl({(hue + turn) % 360} 62% 34%)"
    motif = (_rings, _waves, _hills, _bars)[digest[2] % 4]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {_SIZE}">'
        f'<defs><linearGradient id="sky" gradientTransform="rotate({digest[3] % 90} .5 .5)">'
        f'<stop stop-color="{light}"/><stop offset="1" stop-color="{deep}"/>'
        f"</linearGradient></defs>"
        f'<rect width="100%" height="100%" fill="url(#sky)"/>{motif(digest[4:])}</svg>'
    ).encode()


def _rings(digest: bytes) -> str:
    x, y = 20 + digest[0] % 80, 20 + digest[1] % 80
    return "".join(
        f'<circle cx="{x}" cy="{y}" r="{radius}" fill="none" stroke="#fff"'
        f' stroke-opacity="{0.5 - radius / 260:.2f}" stroke-width="{2 + digest[2] % 5}"/>'
        for radius in range(8, 120, 13)
    )


def _waves(digest: bytes) -> str:
    def wave(base: int, phase: float) -> str:
        heights = (base + 9 * sin(x / _SIZE * 2 * pi * 1.3 + phase) for x in range(0, 121, 8))
        points = " ".join(f"{8 * i},{height:.1f}" for i, height in enumerate(heights))
        return f'<polygon points="0,120 {points} 120,120" fill="#fff" fill-opacity=".16"/>'

    return "".join(wave(44 + 19 * i, digest[0] / 40 + i * digest[1] / 90) for i in range(4))


def _hills(digest: bytes) -> str:
    x, y, radius = 30 + digest[0] % 60, 34 + digest[1] % 22, 16 + digest[2] % 12
    return (
        f'<circle cx="{x}" cy="{y}" r="{radius}" fill="#fff" fill-opacity=".75"/>'
        f'<ellipse cx="{120 - x}" cy="128" rx="96" ry="52" fill="#000" fill-opacity=".22"/>'
        f'<ellipse cx="{x}" cy="134" rx="88" ry="44" fill="#000" fill-opacity=".28"/>'
    )


def _bars(digest: bytes) -> str:
    heights = (18 + (digest[i % 4] * (i + 3)) % 66 for i in range(7))
    return "".join(
        f'<rect x="{14 + 14 * i}" y="{60 - height / 2:.0f}" width="8" height="{height}" rx="4"'
        f' fill="#fff" fill-opacity="{0.85 if i % 2 else 0.55}"/>'
        for i, height in enumerate(heights)
    )
