"""Contrastive audio-language learning for music."""
