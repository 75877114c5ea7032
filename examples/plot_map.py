"""Draw a map of a music collection, on which tracks that sound alike lie close together.

    python examples/plot_map.py ~/Music map.png

t-SNE brings the 512 dimensions of the embeddings down to two. Neighbours stay neighbours; distances
across the map mean little. The colour is the folder that a track lies in.
"""

import sys

from matplotlib.figure import Figure
from sklearn.manifold import TSNE

import muscall
from muscall.audio.files import find_audio

folder, picture = sys.argv[1:]
tracks = find_audio([folder])
audio = muscall.load().encode_audio(tracks)
perplexity = min(30, (len(tracks) - 1) / 3)
places = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(audio)

axes = (figure := Figure(figsize=(8, 8))).subplots()
for name in sorted({track.parent.name for track in tracks}):
    chosen = [track.parent.name == name for track in tracks]
    axes.scatter(*places[chosen].T, label=name)
for track, place in zip(tracks, places, strict=True):
    axes.annotate(track.stem, place, fontsize=6)
axes.legend()
figure.savefig(picture, dpi=150)
print(f"{len(tracks)} tracks in {picture}")
