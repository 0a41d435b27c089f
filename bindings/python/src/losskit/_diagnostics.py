"""Language-model, model-set and neural-collapse measures."""

from __future__ import annotations

__all__: list = []
