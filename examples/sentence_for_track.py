"""Find the sentence that fits a track.

    python examples/sentence_for_track.py song.flac "calm solo piano" "loud drums" "a choir"

The search the other way round: the track asks, and sentences are ranked. One embedding stands for
the whole track, the mean over its windows.
"""

import sys

import muscall

track, *sentences = sys.argv[1:]
model = muscall.load()
(audio,) = model.encode_audio([track])  # (512,)
text = model.encode_text(sentences)  # (sentences, 512)
scores = text @ audio  # (sentences,)
for index in (-scores).argsort():
    print(f"{scores[index]:6.3f}  {sentences[index]}")
