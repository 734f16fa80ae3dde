"""Clients from PyPI whose dependencies do not go with ours: each in an environment of its own."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys

from npm_packages import PATIENCE, cache

from absent import absent

NO_NETWORK = ("Temporary failure in name resolution", "Connection refused", "NewConnectionError")


def python_with(*packages):
    """Return the Python of an environment in which these packages are installed."""
    folder, _ = cache("python", packages)
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    with folder.with_suffix(".lock").open("w") as waiting:
        fcntl.flock(waiting, fcntl.LOCK_EX)  # several test processes may want it at once
        if not (folder / "ready").exists():
            _install(folder, python, packages)
    return python


def _install(folder, python, packages):
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, timeout=PATIENCE)
    command = [python, "-m", "pip", "install", "--quiet", *packages]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if any(word in done.stderr for word in NO_NETWORK):
        absent(f"pip cannot reach its index: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    (folder / "ready").touch()


def run_python(python, script, given):
    """Run a script that finds `given` in `sys.argv[1]`; return the JSON it prints last."""
    done = subprocess.run(
        [python, "-c", script, json.dumps(given)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
