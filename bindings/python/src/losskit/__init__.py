"""Losses with gradients, softmax variants, non-maximum suppression and calibration metrics, as fast native kernels.

Inputs are NumPy arrays, anything with the array protocol or DLPack on the CPU, or nested lists. Work is done in float32
where the inputs are float32 or float16, otherwise in float64. What is wrong with a call is said by a LossKitError.
"""

from . import (
    _attention,
    _boosting,
    _box_losses,
    _boxes,
    _calibration_errors,
    _calibrators,
    _classification,
    _classification_metrics,
    _classwise,
    _conformal,
    _decoding,
    _diagnostics,
    _elementwise,
    _evaluation,
    _fenchel_young,
    _fusion,
    _harmonic,
    _margin,
    _multilabel,
    _open_set,
    _proper_scores,
    _relaxed,
    _robust,
    _runtime,
    _softmax,
    _sparse,
    _suppression,
    _utilities,
)
from ._attention import *  # noqa: F403
from ._boosting import *  # noqa: F403
from ._box_losses import *  # noqa: F403
from ._boxes import *  # noqa: F403
from ._calibration_errors import *  # noqa: F403
from ._calibrators import *  # noqa: F403
from ._classification import *  # noqa: F403
from ._classification_metrics import *  # noqa: F403
from ._classwise import *  # noqa: F403
from ._conformal import *  # noqa: F403
from ._core import LossKitError
from ._decoding import *  # noqa: F403
from ._diagnostics import *  # noqa: F403
from ._elementwise import *  # noqa: F403
from ._evaluation import *  # noqa: F403
from ._fenchel_young import *  # noqa: F403
from ._fusion import *  # noqa: F403
from ._harmonic import *  # noqa: F403
from ._margin import *  # noqa: F403
from ._multilabel import *  # noqa: F403
from ._open_set import *  # noqa: F403
from ._proper_scores import *  # noqa: F403
from ._prototypes import VERSION as __version__
from ._relaxed import *  # noqa: F403
from ._robust import *  # noqa: F403
from ._runtime import *  # noqa: F403
from ._softmax import *  # noqa: F403
from ._sparse import *  # noqa: F403
from ._suppression import *  # noqa: F403
from ._utilities import *  # noqa: F403

__all__ = ["LossKitError", "__version__"]
__all__ += _attention.__all__
__all__ += _boosting.__all__
__all__ += _box_losses.__all__
__all__ += _boxes.__all__
__all__ += _calibration_errors.__all__
__all__ += _calibrators.__all__
__all__ += _classification.__all__
__all__ += _classification_metrics.__all__
__all__ += _classwise.__all__
__all__ += _conformal.__all__
__all__ += _decoding.__all__
__all__ += _diagnostics.__all__
__all__ += _elementwise.__all__
__all__ += _evaluation.__all__
__all__ += _fenchel_young.__all__
__all__ += _fusion.__all__
__all__ += _harmonic.__all__
__all__ += _margin.__all__
__all__ += _multilabel.__all__
__all__ += _open_set.__all__
__all__ += _proper_scores.__all__
__all__ += _relaxed.__all__
__all__ += _robust.__all__
__all__ += _runtime.__all__
__all__ += _softmax.__all__
__all__ += _sparse.__all__
__all__ += _suppression.__all__
__all__ += _utilities.__all__
