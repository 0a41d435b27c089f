"""Fusion of several models' boxes."""

from __future__ import annotations

__all__: list = []
