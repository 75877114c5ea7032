"""Pairs of music and captions for training: manifests, augmentation, batches."""
