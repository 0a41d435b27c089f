"""Losses with gradients, softmax variants, non-maximum suppression and calibration metrics, as fast native kernels.

Inputs are NumPy arrays, anything with the array protocol or DLPack on the CPU, or nested lists. Work is done in float32
where all inputs are float32 or float16, otherwise in float64. What is wrong with a call is said by a LossKitError.
"""

from . import _runtime, _softmax
from ._core import LossKitError
from ._prototypes import VERSION as __version__
from ._runtime import *  # noqa: F403
from ._softmax import *  # noqa: F403

__all__ = ["LossKitError", "__version__"]
__all__ += _runtime.__all__
__all__ += _softmax.__all__
