"""Clients from npm, installed once into a cache folder and asked in a process of their own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from absent import absent

PATIENCE = 300
NO_NETWORK = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH")


def cache(kind, packages):
    """Return the folder of these packages, and whether it is there."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    folder = base / "flagstaff-tests" / f"{kind}-{digest}"
    return folder, folder.is_dir()


def put(made, folder):
    """Move a finished folder to its place; another process may have been quicker."""
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def npm_folder(*packages):
    """Return a folder in which these packages, named with their versions, are installed."""
    if not shutil.which("node") or not shutil.which("npm"):
        absent("node and npm are not installed")
    folder, there = cache("npm", packages)
    if there:
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        made = Path(temporary) / "made"
        made.mkdir()
        (made / "package.json").write_text('{"private": true}')
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *packages]
        done = subprocess.run(
            command, cwd=made, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        if any(word in done.stderr for word in NO_NETWORK):
            absent(f"npm cannot reach its registry: {done.stderr[-300:]}")
        assert done.returncode == 0, done.stderr
        put(made, folder)
    return folder


def run_node(folder, script, given):
    """Run an ES module that finds `given` in `process.argv[2]`; return the JSON it prints."""
    # Into a file: Node does not wait for a pipe to be read when it is told to exit.
    with (
        tempfile.NamedTemporaryFile("w", suffix=".mjs", dir=folder) as file,
        tempfile.TemporaryFile("w+") as printed,
    ):
        file.write(script)
        file.flush()
        done = subprocess.run(
            ["node", file.name, json.dumps(given)],
            stdout=printed,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"node ended with {done.returncode}: {done.stderr}"
        printed.seek(0)
        return json.load(printed)
