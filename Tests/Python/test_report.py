"""The command ``python -m losskit calibrate`` and the pictures that it writes."""

import json
import subprocess
import sys

import numpy as np
import pytest
from support import assert_error

import losskit
from losskit import __main__ as command
from losskit import _report


def predictions(n=400, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    logits = rng.normal(0, 3, (n, classes))
    logits[np.arange(n), y] += rng.normal(3, 3, n)
    return logits, y


@pytest.fixture
def no_pictures(monkeypatch):
    """As where matplotlib is not installed."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)


@pytest.fixture
def file(tmp_path):
    """Writes arrays to a file and gives its path."""

    def write(**arrays):
        path = tmp_path / "predictions.npz"
        np.savez(path, **arrays)
        return path

    return write


def fails(capsys, *arguments):
    """The message with which the command fails."""
    assert command.main(["calibrate", *map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_report_of_logits(file, tmp_path, capsys, no_pictures):
    logits, y = predictions()
    folder = tmp_path / "new" / "out"
    assert command.main(["calibrate", str(file(logits=logits, y=y)), "--report", str(folder), "--bins", "10"]) == 0
    out = capsys.readouterr().out
    report = json.loads((folder / "report.json").read_text())
    assert (report["samples"], report["classes"], report["fit_samples"], report["test_samples"]) == (400, 4, 200, 200)
    order = np.random.default_rng(0).permutation(400)
    fit, test = np.sort(order[:200]), np.sort(order[200:])
    temperature, _ = losskit.temperature_scaling_fit(logits[fit], y[fit])
    assert report["calibrators"]["temperature"]["temperature"] == pytest.approx(float(temperature))
    w, b, _ = losskit.vector_scaling_fit(logits[fit], y[fit])
    for name, probs in {
        "uncalibrated": losskit.softmax(logits[test]),
        "temperature": losskit.softmax(logits[test] / temperature),
        "vector": losskit.softmax(w * logits[test] + b),
    }.items():
        column = report["measures"][name]
        assert column["NLL"] == pytest.approx(losskit.log_loss(probs, y[test]))
        assert column["ECE"] == pytest.approx(losskit.expected_calibration_error(probs, y[test], n_bins=10))
        assert column["accuracy"] == pytest.approx(np.mean(probs.argmax(1) == y[test]))
        assert f"{column['Brier']:.6f}" in out
    assert len(report["calibrators"]["isotonic"]["knots"]) == 4
    assert set(report["measures"]) == {"uncalibrated", "temperature", "vector", "isotonic"}
    assert report["measures"]["temperature"]["NLL"] < report["measures"]["uncalibrated"]["NLL"]


def test_pictures_are_written_where_matplotlib_is(file, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    logits, y = predictions()
    names = {"reliability", "confidence", "roc", "precision_recall", "risk_coverage", "before_after"}
    for arrays in ({"probs": losskit.softmax(logits)}, {"probs": losskit.softmax(logits)[:, 0]}):
        labels = y if arrays["probs"].ndim == 2 else (y == 0).astype(int)
        folder = tmp_path / str(arrays["probs"].ndim)
        assert command.main(["calibrate", str(file(**arrays, y=labels)), "--report", str(folder)]) == 0
        assert {path.stem for path in folder.glob("*.png")} == names
        assert all(path.read_bytes()[:4] == b"\x89PNG" for path in folder.glob("*.png"))
    assert "roc.png" in capsys.readouterr().out


def test_without_matplotlib_there_is_a_report_all_the_same(file, tmp_path, capsys, no_pictures):
    logits, y = predictions()
    assert command.main(["calibrate", str(file(logits=logits, y=y)), "--report", str(tmp_path / "out")]) == 0
    assert "pip install matplotlib" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.json"]


def test_binary_files_and_logits_of_one_column(file):
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, 300)
    y = (rng.random(300) < 1 / (1 + np.exp(-logits / 2))).astype(np.int8)
    from_logits = _report.calibrate(file(logits=logits, y=y), None, echo=lambda line: None)
    from_probs = _report.calibrate(file(probs=1 / (1 + np.exp(-logits)), y=y), None, echo=lambda line: None)
    for name, column in from_logits["measures"].items():
        for measure, value in column.items():
            assert from_probs["measures"][name][measure] == pytest.approx(value, rel=1e-6), (name, measure)
    assert from_logits["classes"] == 2 and len(from_logits["calibrators"]["isotonic"]["knots"]) == 1


def test_calibrators_leave_distributions():
    logits, y = predictions(60, 5)
    probs = losskit.softmax(logits)
    data = _report.Predictions(logits, probs, y)
    for make in _report.CALIBRATORS.values():
        after = make(data).apply(data)
        assert after.shape == probs.shape and (after >= 0).all()
        np.testing.assert_allclose(after.sum(1), 1, rtol=1e-12)


def test_a_class_that_is_absent_gives_null(file, tmp_path, capsys, no_pictures):
    """AUROC is not defined then; JSON has no NaN."""
    probs = np.random.default_rng(0).random(40)
    assert command.main(["calibrate", str(file(probs=probs, y=np.zeros(40, int))), "--report", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "report.json").read_text())["measures"]["uncalibrated"]["AUROC"] is None
    assert "nan" in capsys.readouterr().out


def test_bad_files_get_clear_errors(file, tmp_path, capsys):
    logits, y = predictions(12, 3)
    assert "no such file" in fails(capsys, tmp_path / "missing.npz")
    (tmp_path / "text.npz").write_text("not an archive")
    assert "not a readable .npz" in fails(capsys, tmp_path / "text.npz")
    (tmp_path / "empty.npz").write_bytes(b"")
    assert "not a readable .npz" in fails(capsys, tmp_path / "empty.npz")
    np.save(tmp_path / "one.npy", y)
    assert "not a .npz file" in fails(capsys, tmp_path / "one.npy")
    whole = file(logits=logits, y=y).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    assert "not a readable .npz" in fails(capsys, tmp_path / "cut.npz")
    assert "no array y" in fails(capsys, file(logits=logits))
    assert "either an array probs or an array logits" in fails(capsys, file(y=y))
    assert "either an array probs" in fails(capsys, file(probs=logits, logits=logits, y=y))
    assert "expected [N, C]" in fails(capsys, file(logits=logits[None], y=y))
    assert "expected [N, C]" in fails(capsys, file(logits=logits[:, :1], y=y))
    assert "12 rows" in fails(capsys, file(logits=logits, y=y[:5]))
    assert "integer labels" in fails(capsys, file(logits=logits, y=y + 0.5))
    assert "too few" in fails(capsys, file(logits=logits[:3], y=y[:3]))
    assert "real numbers" in fails(capsys, file(logits=logits.astype(complex), y=y))
    assert "allow_pickle" in fails(capsys, file(logits=logits.astype(object), y=y))
    labels = y.copy()
    labels[7] = 3
    assert "y[7] is 3, expected a label from 0 to 2" in fails(capsys, file(logits=logits, y=labels))
    spoiled = logits.copy()
    spoiled[4, 2] = np.nan
    assert "logits[4, 2] is nan" in fails(capsys, file(logits=spoiled, y=y))
    assert "expected a probability" in fails(capsys, file(probs=logits, y=y))
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    assert command.main(["calibrate", str(file(logits=logits, y=y)), "--report", str(blocked / "out")]) == 2
    assert "cannot write" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["calibrate"], ["other"], ["calibrate", "f", "--split", "1"],
                                       ["calibrate", "f", "--bins", "0"], ["calibrate", "f", "--seed", "-1"]])  # fmt: skip
def test_bad_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2 and "usage" in capsys.readouterr().err


def test_it_runs_as_a_module(file):
    logits, y = predictions(40, 3)
    path = [entry for entry in sys.path if entry]
    script = f"import sys, runpy; sys.path[:0] = {path!r}; sys.argv = ['losskit', 'calibrate', {str(file(logits=logits, y=y))!r}]; runpy.run_module('losskit', run_name='__main__')"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0 and "temperature" in run.stdout, run.stderr


# --- Pictures --------------------------------------------------------------------------------------------------------


@pytest.fixture
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def test_curves_in_pictures_are_the_kernels(pyplot):
    from losskit import plot

    logits, y = predictions(200, 3)
    probs = losskit.softmax(logits)
    binary, hits = probs[:, 0], (y == 0).astype(int)
    ax = plot.roc_diagram(binary, hits)
    fpr, tpr, _ = losskit.roc_curve(binary, hits)
    np.testing.assert_array_equal(ax.lines[-1].get_xydata(), np.stack([fpr, tpr], 1))
    assert f"{losskit.roc_auc(binary, hits):.4f}" in ax.get_legend().get_texts()[-1].get_text()
    ax = plot.precision_recall_diagram(binary, hits)
    precision, recall, _ = losskit.precision_recall_curve(binary, hits)
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), np.stack([recall, precision], 1))
    ax = plot.risk_coverage_diagram(probs, y)
    curve = losskit.risk_coverage_curve(probs.max(1), (probs.argmax(1) != y).astype(float))
    np.testing.assert_array_equal(ax.lines[-1].get_xydata(), np.stack(curve, 1))
    ax = plot.confidence_histogram(probs, y, n_bins=8)
    assert sum(bar.get_height() for bar in ax.patches) == 200
    assert len(plot.roc_diagram(probs, y).lines) == 1 + 3 + 1  # chance, each class, all
    own = pyplot.subplots()[1]
    assert plot.roc_diagram(binary, hits, ax=own) is own
    figure = plot.calibration_comparison(probs, probs, y, titles=("one", "two"))
    assert [ax.get_title() for ax in figure.axes[:2]] == ["one", "two"]
    assert_error("INVALID_SHAPE", plot.roc_diagram, probs, y[:5])


def test_pictures_of_nothing(pyplot):
    from losskit import plot

    for draw in (plot.roc_diagram, plot.precision_recall_diagram, plot.risk_coverage_diagram, plot.confidence_histogram):
        draw(np.zeros(0), np.zeros(0, int)).figure.canvas.draw()
        draw(np.zeros((0, 3)), np.zeros(0, int)).figure.canvas.draw()
