"""Scores of a model on a manifest: retrieval, zero-shot, linear probes."""

from muscall.evaluation.metrics import retrieval_metrics

__all__ = ["retrieval_metrics"]
