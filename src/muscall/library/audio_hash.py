"""What a sound file is known by: a hash of the sound alone."""

from __future__ import annotations

from contextlib import closing
from hashlib import blake2b
from io import FileIO
from pathlib import Path

from muscall.audio.decode import open_file
from muscall.audio.decoders import FAILURES, open_stream
from muscall.errors import AudioError


def audio_hash(path: str | Path) -> str:
    """Forty hex digits that a move, a new name or new tags do not change, but other sound does.

    They stand for the compressed sound as it is, which is read but not decoded: the same music
    encoded twice has two hashes. A file that FFmpeg cannot take apart is hashed as a whole.

    Raises:
        AudioError: the file cannot be opened or read, is empty or no regular file.
    """
    with open_file(path) as file:
        try:
            return _hash_of_packets(file)
        except FAILURES:
            pass
        try:
            return _hash_of_bytes(file)
        except OSError as error:
            raise AudioError(path, (error.strerror or str(error)).lower()) from error


def _hash_of_packets(file: FileIO) -> str:
    container, stream = open_stream(file)
    with closing(container):
        codec = stream.codec_context
        kind = f"{codec.codec.canonical_name} {codec.sample_rate} {codec.channels}"
        digest = blake2b(kind.encode(), digest_size=20)
        size = 0
        for packet in container.demux(stream):
            digest.update(packet)
            size += packet.size
    if not size:
        raise ValueError("no packets")
    return digest.hexdigest()


def _hash_of_bytes(file: FileIO) -> str:
    digest = blake2b(digest_size=20)
    file.seek(0)
    while piece := file.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()
