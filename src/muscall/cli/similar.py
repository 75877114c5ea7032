"""`muscall similar`"""

from __future__ import annotations

from muscall.cli.common import AnExample, Json, LibraryPath, Model, Threads, open_library, unicode
from muscall.cli.found import AsPaths, Form, M3u, MaxPerArtist, N, Relative, Where


def similar(
    example: AnExample,
    where: Where = None,
    n: N = 10,
    max_per_artist: MaxPerArtist = None,
    as_json: Json = False,
    as_paths: AsPaths = False,
    m3u: M3u = None,
    relative: Relative = False,
    library: LibraryPath = None,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Find tracks that sound like a file or passage.

    They are of the library; the file itself need not be. It is shown as `muscall search` does.
    """
    form = Form(as_json, as_paths, m3u, relative)
    music = open_library(library, model, threads)
    from muscall.library.search.filters import all_of

    wanted = all_of([unicode(text) for text in where or ()])
    form.show(music.similar(example, n=n, where=wanted, max_per_artist=max_per_artist))
