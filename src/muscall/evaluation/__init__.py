"""Scores of a model on a manifest: retrieval, zero-shot, linear probes."""
