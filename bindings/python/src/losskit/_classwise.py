"""Losses of embeddings and a class matrix."""

from __future__ import annotations

__all__: list[str] = []
