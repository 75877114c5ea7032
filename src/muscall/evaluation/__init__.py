"""Retrieval and ranking scores, and running a model over a manifest to get them."""

from muscall.evaluation.metrics import retrieval_metrics

__all__ = ["retrieval_metrics"]
