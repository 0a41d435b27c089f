"""Classification and ranking metrics."""

import losskit
import numpy as np
from contest import Contest, close, compare


def _ranked(n, dtype=np.float32):
    """Scores as a classifier gives them: overlapping, and with some ties, as single precision has in ten million."""
    rng = np.random.default_rng(n)
    y = rng.integers(0, 2, n)
    return 1 / (1 + np.exp(-rng.normal(size=n) - y)).astype(dtype), y


@compare(
    "Metrics", "area under the ROC curve, {} scores", ((10_000_000,), (100_000,)),
    peer="scikit-learn", needs=["roc_auc"], target=8, threads=(1, 2),
)  # fmt: skip
def roc_auc(n):
    from sklearn.metrics import roc_auc_score

    scores, y = _ranked(n)
    return Contest(lambda: losskit.roc_auc(scores, y), lambda: roc_auc_score(y, scores), close(1e-6))


@compare(
    "Metrics", "average precision, {} scores", ((10_000_000,), (100_000,)),
    peer="scikit-learn", needs=["average_precision"], target=8, threads=(1, 2),
)  # fmt: skip
def average_precision(n):
    from sklearn.metrics import average_precision_score

    scores, y = _ranked(n)
    return Contest(
        lambda: losskit.average_precision(scores, y), lambda: average_precision_score(y, scores), close(1e-6)
    )


@compare(
    "Metrics", "area under the ROC curve, {} doubles", ((10_000_000,),),
    peer="scikit-learn", needs=["roc_auc"], target=8,
)  # fmt: skip
def roc_auc_of_doubles(n):
    from sklearn.metrics import roc_auc_score

    scores, y = _ranked(n, np.float64)
    return Contest(lambda: losskit.roc_auc(scores, y), lambda: roc_auc_score(y, scores), close(1e-12))


@compare(
    "Metrics", "confusion matrix, {} samples × {}", ((1_000_000, 10),), peer="scikit-learn", needs=["confusion_matrix"],
)  # fmt: skip
def confusion_matrix(n, classes):
    from sklearn.metrics import confusion_matrix as peer

    rng = np.random.default_rng(n)
    y, pred = rng.integers(0, classes, n), rng.integers(0, classes, n)
    return Contest(lambda: losskit.confusion_matrix(pred, y, num_classes=classes), lambda: peer(y, pred), close(0))


@compare(
    "Metrics", "NDCG at 10, {} queries × {}", ((1000, 1000),), peer="scikit-learn", needs=["ndcg_score"],
)  # fmt: skip
def ndcg_score(queries, documents):
    from sklearn.metrics import ndcg_score as peer

    rng = np.random.default_rng(queries)
    scores, relevance = rng.random((queries, documents)), rng.integers(0, 4, (queries, documents)).astype(float)
    return Contest(
        lambda: losskit.ndcg_score(scores, relevance, k=10)[0], lambda: peer(relevance, scores, k=10), close(1e-12)
    )
