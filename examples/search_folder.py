"""Find the tracks of a folder that fit a sentence.

    python examples/search_folder.py ~/Music "calm acoustic guitar"

Both encoders lead into one space of unit vectors, so a search is a product: of each track's
embedding with the sentence's. It gives the cosine of the angle between them. The higher it is the
better the track fits; the height itself means nothing.
"""

import sys

import muscall
from muscall.audio.files import find_audio

folder, sentence = sys.argv[1:]
tracks = find_audio([folder])
model = muscall.load()
audio = model.encode_audio(tracks)  # (tracks, 512) float32, unit norm
(text,) = model.encode_text([sentence])  # (512,)
scores = audio @ text  # (tracks,)
for index in (-scores).argsort()[:5]:
    print(f"{scores[index]:6.3f}  {tracks[index].name}")
