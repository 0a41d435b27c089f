"""Finds files in installed packages."""

import importlib.util
from pathlib import Path


def packaged_file(package: str, *path: str) -> Path:
    """The path of a file in a package, without importing the package (which may need others that are not here)."""
    return Path(importlib.util.find_spec(package).submodule_search_locations[0], *path)
