"""Evaluation of detections."""

from __future__ import annotations

__all__: list = []
