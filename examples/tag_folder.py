"""Tag a folder with labels that the model was never trained to give (zero-shot).

    python examples/tag_folder.py ~/Music acoustic electronic calm energetic

A label becomes a few sentences ("a piece of calm music"), and their mean embedding stands for it.
Some labels score high with everything, so a score is told against those of the other tracks.
"""

import sys

import muscall
from muscall.audio.files import find_audio
from muscall.evaluation.zeroshot import ENSEMBLE, embed_labels

folder, *labels = sys.argv[1:]
tracks = find_audio([folder])
model = muscall.load()
scores = model.encode_audio(tracks) @ embed_labels(model, labels, ENSEMBLE).T  # (tracks, labels)
scores -= scores.mean(axis=0)
for track, row in zip(tracks, scores, strict=True):
    print(f"{labels[row.argmax()]:12}  {track.name}")
