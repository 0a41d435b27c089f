"""Everything about calibration under one name: errors, proper scores, calibrators, conformal prediction, open-set scores."""

from ._calibration_errors import *  # noqa: F403
from ._calibrators import *  # noqa: F403
from ._conformal import *  # noqa: F403
from ._diagnostics import *  # noqa: F403
from ._open_set import *  # noqa: F403
from ._proper_scores import *  # noqa: F403
