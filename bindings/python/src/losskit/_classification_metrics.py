"""Classification and ranking metrics."""

from __future__ import annotations

__all__: list = []
