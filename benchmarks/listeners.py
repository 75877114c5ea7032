"""Many listeners of one server at once: errors, times and the growth of its memory.

    muscall serve &
    python benchmarks/listeners.py http://127.0.0.1:8765 [--minutes 5] [--listeners 200] [--pid PID]

Each listener searches, looks at covers and waveforms of what was found, plays parts of it, thinks
for a while and searches anew. Prints a Markdown table, and exits with 1 if anything failed. The
memory (resident, with --pid, on Linux) is that of the server after a tenth of the time and at the
end. A synthetic library (synthetic.py) has no files, so neither covers nor sound: --search asks
for no more than lists. Only for servers on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections import defaultdict
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import numpy as np

WORDS = [
    "slow",
    "fast",
    "calm",
    "dark",
    "warm",
    "jazz",
    "techno",
    "piano",
    "guitar",
    "strings",
    "drums",
    "voice",
    "dub",
    "waltz",
]
PART = 256 << 10  # bytes that a player fetches at a time
THINKING = 10.0  # seconds for a song, on average


class Tally:
    """What was asked for and how long it took, in seconds."""

    def __init__(self) -> None:
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        self.problems: defaultdict[str, int] = defaultdict(int)
        self.bytes = 0

    async def get(
        self, client: httpx2.AsyncClient, what: str, path: str, **options: object
    ) -> httpx2.Response | None:
        """Ask for `path`; None where that failed. No cover is no failure."""
        started = time.perf_counter()
        try:
            answer = await client.get(path, **options)  # type: ignore[arg-type]
        except httpx2.HTTPError as error:
            self.problems[f"{what}: {type(error).__name__}"] += 1
            return None
        self.times[what].append(time.perf_counter() - started)
        self.bytes += len(answer.content)
        if answer.is_error and (what, answer.status_code) != ("cover", 404):
            self.problems[f"{what}: {answer.status_code} {answer.text[:100]}"] += 1
            return None
        return answer


async def listen(
    client: httpx2.AsyncClient, tally: Tally, seed: int, until: float, *, plays: bool
) -> None:
    """One listener, from now to `until`, who plays what is found, or looks at the list alone."""
    draw = random.Random(seed)

    async def think() -> None:
        await asyncio.sleep(min(draw.expovariate(1 / THINKING), max(0, until - time.monotonic())))

    await think()  # not all at once
    while time.monotonic() < until:
        query = {"text": " ".join(draw.sample(WORDS, 3)), "n": 10}
        answer = await tally.get(client, "search", "/v1/search", params=query)
        found = answer.json()["results"] if answer is not None else []
        if not plays:
            await think()
            continue
        for hit in draw.sample(found, min(3, len(found))):
            track = f"/v1/tracks/{hit['track']['key']}"
            await tally.get(client, "cover", f"{track}/cover")
            await tally.get(client, "waveform", f"{track}/waveform", params=query)
            start = 0
            for _ in range(2):  # from the beginning, then from anywhere
                part = {"range": f"bytes={start}-{start + PART - 1}"}
                answer = await tally.get(client, "audio", f"{track}/audio", headers=part)
                if answer is None:
                    break
                start = draw.randrange(int(answer.headers["content-range"].rpartition("/")[2]))
            await think()
            if time.monotonic() >= until:
                return


def resident(pid: int | None) -> float:
    """Memory of a process in MiB; NaN where it cannot be told."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, ValueError):
        return float("nan")
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def run(arguments: argparse.Namespace) -> bool:
    """Let all listeners listen; whether nothing failed."""
    headers = {"x-api-key": os.environ["MUSCALL_API_KEY"]} if arguments.key else {}
    limits = httpx2.Limits(max_connections=arguments.listeners)
    seconds = 60 * arguments.minutes
    tally, started = Tally(), time.monotonic()
    async with httpx2.AsyncClient(
        base_url=arguments.server, headers=headers, limits=limits, timeout=60
    ) as client:
        listeners = [
            asyncio.create_task(
                listen(client, tally, seed, started + seconds, plays=not arguments.search)
            )
            for seed in range(arguments.listeners)
        ]
        await asyncio.sleep(seconds / 10)
        before = resident(arguments.pid)
        await asyncio.gather(*listeners)
        after = resident(arguments.pid)
    count = sum(map(len, tally.times.values()))
    print(
        f"{arguments.listeners} listeners, {time.monotonic() - started:.0f} s, {count:,} requests,"
    )
    print(f"{tally.bytes / 1e6:,.0f} MB, {sum(tally.problems.values())} errors;")
    print(f"memory {before:,.0f} MiB, at the end {after:,.0f} MiB ({after - before:+,.0f})\n")
    print(
        "| request | count | p50, ms | p95, ms | p99, ms | longest, ms |\n|---|---|---|---|---|---|"
    )
    for what, times in sorted(tally.times.items()):
        p50, p95, p99, longest = 1000 * np.percentile(times, [50, 95, 99, 100])
        print(f"| {what} | {len(times):,} | {p50:.0f} | {p95:.0f} | {p99:.0f} | {longest:.0f} |")
    for problem, times_seen in tally.problems.items():
        print(f"{times_seen} x {problem}", file=sys.stderr)
    return not tally.problems


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server", help="such as http://127.0.0.1:8765")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--listeners", type=int, default=200)
    parser.add_argument("--pid", type=int, help="process of the server, for its memory")
    parser.add_argument("--search", action="store_true", help="search alone, play nothing")
    parser.add_argument("--key", action="store_true", help="send $MUSCALL_API_KEY")
    arguments = parser.parse_args()
    host = urlsplit(arguments.server).hostname or ""
    if host != "localhost" and not ip_address(host).is_loopback:
        parser.error("only servers on this machine are tried")
    sys.exit(not asyncio.run(run(arguments)))


if __name__ == "__main__":
    main()
