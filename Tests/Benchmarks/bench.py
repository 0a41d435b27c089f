"""Compares LossKit with the libraries that people use today. `make bench` runs it.

    python Tests/Benchmarks/bench.py [--quick] [--only PATTERN] [--no-write]

The first run makes .venv-bench and installs the peers there (requirements*.txt); LOSSKIT_BENCH_PYTHON names an
interpreter that already has them instead. Contestants have to agree on the result first; then they take turns in one process. The
table goes to the terminal and to RESULTS.md.
"""

import argparse
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]


def peers_python():
    """The interpreter that has the peers, after installing them if that has not been done."""
    given = os.environ.get("LOSSKIT_BENCH_PYTHON")
    if given:
        return given
    folder = REPOSITORY / ".venv-bench"
    python = folder / "bin" / "python"
    stamp = folder / "installed.txt"
    lists = HERE / "requirements.txt", HERE / "requirements-files.txt"
    wanted = "".join(path.read_text() for path in lists)
    if stamp.exists() and stamp.read_text() == wanted:
        return str(python)
    print(f"Making {folder.name} and installing the peers (PyTorch is large; this happens once)", flush=True)
    if not python.exists():
        venv.create(folder, with_pip=True)
    missing = []
    packages = [(package, []) for package in lists[0].read_text().split()]
    packages += [(package, ["--no-deps"]) for package in lists[1].read_text().split()]  # for files that they contain
    for package, options in packages:
        print(f"  {package} …", flush=True)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *options, package]
        if subprocess.run(command).returncode != 0:
            missing.append(package)
    if missing:
        print(f"Not installed: {', '.join(missing)}. Their rows will be skipped.")
    else:
        stamp.write_text(wanted)
    return str(python)


def main():
    parser = argparse.ArgumentParser(description="Compares LossKit with its peers.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: rougher figures in about a minute")
    parser.add_argument("--only", metavar="PATTERN", default="", help="cases whose title matches this regular expression")
    parser.add_argument("--no-write", action="store_true", help="leave RESULTS.md as it is")
    options = parser.parse_args()

    if os.environ.get("LOSSKIT_BENCH_CHILD") != "1":
        environment = {**os.environ, "LOSSKIT_BENCH_CHILD": "1", "OMP_NUM_THREADS": "1"}
        source = str(REPOSITORY / "bindings" / "python" / "src")
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))
        python = peers_python()
        os.execve(python, [python, str(Path(__file__)), *sys.argv[1:]], environment)

    import contest
    import report

    remark = report.warning()
    if remark:
        print(remark)
    pattern = re.compile(options.only, re.IGNORECASE)
    cases = [case for case in contest.load_cases(HERE / "cases") if pattern.search(f"{case.family}: {case.title}")]
    results = [result for case in cases for result in contest.run(case, options.quick, report.progress)]
    print("\n" + report.terminal(results))
    if not (options.no_write or options.only or options.quick):
        (HERE / "RESULTS.md").write_text(report.markdown(results, remark))
        print(f"Written to {(HERE / 'RESULTS.md').relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
