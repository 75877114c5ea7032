"""A pretrained music tagger as teacher: it knows real audio, and so gives words and targets."""
