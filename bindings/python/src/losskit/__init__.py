"""Losses with gradients, softmax variants, non-maximum suppression and calibration metrics, as fast native kernels.

Inputs are NumPy arrays, anything with the array protocol or DLPack on the CPU, or nested lists. Work is done in float32
where the inputs are float32 or float16, otherwise in float64. What is wrong with a call is said by a LossKitError.
"""

from . import _calibration, _classification, _detection, _multilabel, _runtime, _softmax
from ._calibration import *  # noqa: F403
from ._classification import *  # noqa: F403
from ._core import LossKitError
from ._detection import *  # noqa: F403
from ._multilabel import *  # noqa: F403
from ._prototypes import VERSION as __version__
from ._runtime import *  # noqa: F403
from ._softmax import *  # noqa: F403

__all__ = ["LossKitError", "__version__"]
__all__ += _calibration.__all__
__all__ += _classification.__all__
__all__ += _detection.__all__
__all__ += _multilabel.__all__
__all__ += _runtime.__all__
__all__ += _softmax.__all__
