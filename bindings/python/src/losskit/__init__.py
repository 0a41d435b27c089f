"""Losses with gradients, softmax variants, non-maximum suppression and calibration metrics, as fast native kernels."""

from . import _calibration, _softmax
from ._calibration import *  # noqa: F403
from ._core import LossKitError, library as _library
from ._softmax import *  # noqa: F403

__version__ = _library.losskit_version().decode()
__all__ = ["LossKitError", "__version__", *_calibration.__all__, *_softmax.__all__]
