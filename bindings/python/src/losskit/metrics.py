"""Classification and ranking metrics under one name."""

from ._classification_metrics import *  # noqa: F403
from ._evaluation import *  # noqa: F403
