"""Public data sets, read as people have them on a disk. Nothing is downloaded."""

from muscall.data.sets.finding import FoundClips
from muscall.data.sets.gtzan import gtzan
from muscall.data.sets.magnatagatune import magnatagatune
from muscall.data.sets.mtg_jamendo import mtg_jamendo
from muscall.data.sets.musiccaps import musiccaps
from muscall.data.sets.song_describer import song_describer

__all__ = ["FoundClips", "gtzan", "magnatagatune", "mtg_jamendo", "musiccaps", "song_describer"]
