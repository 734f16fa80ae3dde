import subprocess
import sys

import pytest

from flagstaff.cli.root import TABLE, root

HEAVY = ("cattrs", "sqlalchemy", "starlette", "fastapi", "yaml", "rich", "http.client", "urllib3")
SCRIPT = """
import sys
from flagstaff.cli.main import run
run(sys.argv[1:])
sys.stderr.write("\\nloaded " + " ".join(sys.modules))
"""


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["--help"],
        ["bogus"],
        ["rollout", "--help"],
        ["rollout", "bogus"],
        ["rollout", "watch"],
        ["feature", "set"],
        ["feature", "set", "--help"],
        ["feature", "set", "x", "--bogus"],
        ["server", "--port", "x"],
        ["completion", "bogus"],
    ],
)
def test_help_and_wrong_words_wait_for_nothing_heavy(words):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], check=True, capture_output=True, text=True
    )
    loaded = done.stderr.rpartition("\nloaded ")[2].split()
    assert "flagstaff.cli.main" in loaded
    assert not [name for name in HEAVY if name in loaded]


def test_every_command_of_the_table_is_there_under_its_name():
    for name, entry in TABLE.items():
        command = root.get_command(None, name)
        assert command.name == name
        assert command.get_short_help_str(200)
        assert len(entry.about) < 60
    assert root.get_command(None, "bogus") is None


@pytest.mark.parametrize(("package", "words"), [("click", "--help"), ("uvicorn", "server")])
def test_a_program_without_its_packages_says_what_to_install(package, words, tmp_path):
    script = f"import sys; sys.modules['{package}'] = None\nfrom flagstaff.__main__ import main\n"
    done = subprocess.run(
        [sys.executable, "-c", script + "sys.exit(main())", words],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert f"{package} is not installed\npip install 'flagstaff[server]'" in done.stderr
    assert "Traceback" not in done.stderr
