"""LossKit's objectives inside LightGBM and XGBoost: what their own objectives learn, and the example on rare classes."""

import importlib.util

import numpy as np
import pytest
from support import REPOSITORY

import losskit

datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")


@pytest.fixture(scope="module")
def example():
    path = REPOSITORY / "bindings" / "python" / "examples" / "boosting_focal.py"
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(params=["LightGBM", "XGBoost"])
def booster(request):
    pytest.importorskip(request.param.lower(), reason=f"{request.param} is not installed")
    return request.param


def test_the_logistic_objective_is_the_booster_s_own(example, booster):
    x, y, _, _, test, _ = example.split(digit=8, seed=1)
    train = example.BOOSTERS[booster]
    expected = train(x, y, None)(test)
    actual = train(x, y, losskit.logistic_grad_hess)(test)
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-3)


def test_focal_loss_finds_a_rare_class_as_well_or_better(example, booster):
    """A small part of what the example prints, with some room for other versions of the boosters."""
    results = example.compare(booster, digits=(1, 8, 9), seeds=(10, 11))
    gain = (results["focal"] - results["its own"]).mean(0)
    assert gain[0] > -0.01, "average precision"
    assert gain[1] < 0.01, "log-loss after calibration"


def test_softmax_objective_in_lightgbm():
    """Scores come class by class: their transpose goes in and out as it is, with the classes along axis 0."""
    lightgbm = pytest.importorskip("lightgbm", reason="LightGBM is not installed")
    x, y = datasets.load_iris(return_X_y=True)

    def objective(scores, data):
        assert scores.T.flags.c_contiguous
        grad, hess = losskit.softmax_grad_hess(scores.T, data.get_label().astype(int), axis=0)
        return grad.T, hess.T

    common = dict(num_class=3, num_leaves=5, num_threads=1, deterministic=True, boost_from_average=False, verbose=-1)
    own = lightgbm.train({**common, "objective": "multiclass"}, lightgbm.Dataset(x, y), 20)
    ours = lightgbm.train({**common, "objective": objective}, lightgbm.Dataset(x, y), 20)
    np.testing.assert_allclose(losskit.softmax(ours.predict(x)), own.predict(x), atol=1e-3)


def test_softmax_objective_in_xgboost():
    """Scores come row by row."""
    xgboost = pytest.importorskip("xgboost", reason="XGBoost is not installed")
    x, y = datasets.load_iris(return_X_y=True)
    data = xgboost.DMatrix(x, y, base_margin=np.zeros((len(x), 3)))

    def objective(scores, data):
        assert scores.shape == (len(x), 3)
        return losskit.softmax_grad_hess(scores, data.get_label().astype(int), hess="xgboost", min_hess=1e-16)

    parameters = dict(objective="multi:softprob", num_class=3, max_depth=3, nthread=1)
    own = xgboost.train(parameters, data, 20)
    ours = xgboost.train(parameters, data, 20, obj=objective)
    np.testing.assert_allclose(
        ours.predict(data, output_margin=True), own.predict(data, output_margin=True), rtol=1e-3, atol=1e-3
    )
