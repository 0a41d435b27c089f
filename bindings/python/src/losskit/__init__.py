"""Losses with gradients, softmax variants, non-maximum suppression and calibration metrics, as fast native kernels.

Inputs are NumPy arrays, anything with the array protocol or DLPack on the CPU, or nested lists. Work is done in float32
where the inputs are float32 or float16, otherwise in float64. What is wrong with a call is said by a LossKitError.
"""

from . import (
    _attention,
    _boosting,
    _calibration,
    _classification,
    _classwise,
    _detection,
    _elementwise,
    _fenchel_young,
    _harmonic,
    _margin,
    _multilabel,
    _relaxed,
    _robust,
    _runtime,
    _softmax,
    _sparse,
    _utilities,
)
from ._attention import *  # noqa: F403
from ._boosting import *  # noqa: F403
from ._calibration import *  # noqa: F403
from ._classification import *  # noqa: F403
from ._classwise import *  # noqa: F403
from ._core import LossKitError
from ._detection import *  # noqa: F403
from ._elementwise import *  # noqa: F403
from ._fenchel_young import *  # noqa: F403
from ._harmonic import *  # noqa: F403
from ._margin import *  # noqa: F403
from ._multilabel import *  # noqa: F403
from ._prototypes import VERSION as __version__
from ._relaxed import *  # noqa: F403
from ._robust import *  # noqa: F403
from ._runtime import *  # noqa: F403
from ._softmax import *  # noqa: F403
from ._sparse import *  # noqa: F403
from ._utilities import *  # noqa: F403

__all__ = ["LossKitError", "__version__"]
__all__ += _attention.__all__
__all__ += _boosting.__all__
__all__ += _calibration.__all__
__all__ += _classification.__all__
__all__ += _classwise.__all__
__all__ += _detection.__all__
__all__ += _elementwise.__all__
__all__ += _fenchel_young.__all__
__all__ += _harmonic.__all__
__all__ += _margin.__all__
__all__ += _multilabel.__all__
__all__ += _relaxed.__all__
__all__ += _robust.__all__
__all__ += _runtime.__all__
__all__ += _softmax.__all__
__all__ += _sparse.__all__
__all__ += _utilities.__all__
