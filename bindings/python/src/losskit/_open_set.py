"""Confidence, out-of-distribution and open-set scores."""

from __future__ import annotations

__all__: list = []
