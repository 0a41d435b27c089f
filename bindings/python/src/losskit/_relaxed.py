"""Random numbers; relaxed top-k, sorting and sampling; gates of mixtures of experts."""

from __future__ import annotations

__all__: list[str] = []
