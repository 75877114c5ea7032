"""`muscall similar`"""

from __future__ import annotations

from muscall.cli.common import AnExample, Json, LibraryPath, Model, Threads, open_library, unicode
from muscall.cli.found import AsPaths, Form, M3u, MaxPerArtist, N, Where


def similar(
    example: AnExample,
    where: Where = None,
    n: N = 10,
    max_per_artist: MaxPerArtist = None,
    as_json: Json = False,
    as_paths: AsPaths = False,
    m3u: M3u = None,
    library: LibraryPath = None,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Find tracks that sound like a file or passage.

    They are of the library; the file itself need not be. It is shown as `muscall search` does.
    """
    from muscall.library.filters import all_of

    form = Form(as_json, as_paths, m3u)
    music = open_library(library, model, threads)
    wanted = all_of([unicode(text) for text in where or ()])
    hits = music.similar(example, n=n, where=wanted, most_per_artist=max_per_artist)
    form.show_hits(hits)
