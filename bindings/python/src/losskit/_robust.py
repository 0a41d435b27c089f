"""Robust, normalized, polynomial and substitute losses of rows."""

from __future__ import annotations

__all__: list[str] = []
