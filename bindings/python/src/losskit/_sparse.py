"""Sparse maps: sparsemax, entmax and their relatives."""

from __future__ import annotations

__all__: list[str] = []
