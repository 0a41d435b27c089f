"""Boosting objectives: gradients and diagonal Hessians."""

from __future__ import annotations

__all__: list[str] = []
