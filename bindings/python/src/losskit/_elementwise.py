"""Classification losses of single scores."""

from __future__ import annotations

__all__: list[str] = []
