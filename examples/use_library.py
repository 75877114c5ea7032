"""Index music once, and find it at once from then on.

    python examples/use_library.py /tmp/library ~/Music "calm acoustic guitar"

A library listens to each track a single time and keeps what it has heard. It searches by sentences,
tags and examples together, tells where in a track the best passage is, and describes tracks.
"""

import sys

import muscall


def main(folder: str, music: str, sentence: str) -> None:
    library = muscall.Library(folder)
    report = library.index([music])
    print(f"{report.added} tracks are new, {report.unchanged} as before")

    hits = library.search(sentence, where="duration > 1", n=3)
    for hit in hits:
        place = f", best at {hit.passage.start:.0f} s" if hit.passage else ""
        print(f"{hit.rank}. {hit.path.name}: fit {hit.relative_score:.2f}{place}")
    for hit in library.similar(hits[0].path, n=2):
        print(f"like {hits[0].path.name}: {hit.path.name}")
    for label in library.describe(hits[0].path, n=1):
        print(f"{label.kind}: {label.text}")


if __name__ == "__main__":
    main(*sys.argv[1:])
