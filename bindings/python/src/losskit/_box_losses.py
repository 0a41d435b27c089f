"""Losses of boxes, and of the distributions that stand for their sides."""

from __future__ import annotations

__all__: list = []
