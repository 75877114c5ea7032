"""Search WAV files with a sentence, with onnxruntime and numpy alone.

    muscall convert --to onnx default exported
    ffmpeg -i song.mp3 -ac 1 -ar 16000 song.wav
    python examples/onnx_search.py exported "calm solo piano" *.wav

It knows how the default model's tokenizer, WordPiece, cuts sentences into tokens; the tokens of
other models are had from the package `tokenizers`. Eight bits: `audio.int8` and `text.int8`.
"""

import json
import re
import sys
import unicodedata
import wave
from pathlib import Path

import numpy as np
import onnxruntime


def tokens(sentence: str, vocabulary: dict[str, int]) -> np.ndarray:
    """The ids of a sentence, (1, length): the longest pieces of its words that are known."""
    plain = unicodedata.normalize("NFD", sentence.lower())
    found = [vocabulary["[CLS]"]]
    for word in re.findall(r"\w+|[^\w\s]", re.sub(r"[\u0300-\u036f]", "", plain)):
        ids, start = [], 0
        while start < len(word):
            ends = range(len(word), start, -1)
            pieces = ("##" * (start > 0) + word[start:end] for end in ends)
            piece = next((piece for piece in pieces if piece in vocabulary), None)
            if piece is None:
                ids = [vocabulary["[UNK]"]]
                break
            ids.append(vocabulary[piece])
            start += len(piece) - 2 * (start > 0)
        found += ids
    return np.array([[*found[:127], vocabulary["[SEP]"]]])


def main(folder: str, sentence: str, *songs: str) -> None:
    audio, text = (onnxruntime.InferenceSession(f"{folder}/{x}.onnx") for x in ("audio", "text"))
    told = audio.get_modelmeta().custom_metadata_map
    length, rate = int(told["window_samples"]), int(told["sample_rate"])
    vocabulary = json.loads(Path(folder, told["tokenizer"]).read_text("utf-8"))["model"]["vocab"]
    (wish,) = text.run(None, {"tokens": tokens(sentence, vocabulary)})[0]
    scores = {}
    for song in songs:
        with wave.open(song) as file:
            if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (rate, 1, 2):
                sys.exit(f"{song}: expected 16-bit mono at {rate} Hz")
            samples = np.frombuffer(file.readframes(-1), "<i2").astype(np.float32) / 32768
        samples = np.resize(samples, max(length, len(samples)))  # what is short is repeated
        last = len(samples) - length
        starts = sorted({*range(0, last, length), last})
        windows = np.stack([samples[start : start + length] for start in starts])
        heard = audio.run(None, {"waveform": windows})[0].sum(axis=0)
        scores[song] = wish @ heard / np.linalg.norm(heard)
    for song, score in sorted(scores.items(), key=lambda item: -item[1]):
        print(f"{score:6.3f}  {song}")


if __name__ == "__main__":
    main(*sys.argv[1:])
