"""What do `flagstaff workers` commands say when they cannot look, and how do they show a look?"""

from __future__ import annotations

import pytest

from flagstaff.cli import workers, workers_migrate
from flagstaff.cli.main import run
from flagstaff.workers.asking import Answers
from flagstaff.workers.draining import Proof
from flagstaff.workers.migrated import Moved, Outcome
from flagstaff.workers.migration import Migration
from flagstaff.workers.places import Place


@pytest.mark.parametrize("command", ["ready", "drained"])
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 2, "one of --broker, --broker-file and --app"),
        (("--broker", "redis://x", "--app", "y"), 2, "one of --broker, --broker-file and --app"),
        (("--app", "no_such_module:app"), 2, "no Celery application at no_such_module:app"),
        (("--broker", "redis://x", "--timeout", "soon"), 2, "soon"),
        (("--broker-file", "no/such/file"), 2, "no/such/file cannot be read: No such file"),
        (("--broker-file", __file__), 2, "test_cli_workers.py holds no address"),
    ],
)
def test_what_cannot_be_asked_is_said(capsys, command, words, code, says):
    assert run(["workers", command, "shop.notify", *words]) == code
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("command", ["ready", "drained"])
def test_an_application_that_ends_the_program_proves_nothing(
    capsys, monkeypatch, tmp_path, command
):
    (tmp_path / "ends_at_once.py").write_text("raise SystemExit(0)")
    monkeypatch.syspath_prepend(tmp_path)
    assert run(["workers", command, "shop.notify", "--app", "ends_at_once:app"]) == 2
    assert "ends the program while it is imported" in capsys.readouterr().err


SEE = "python -c 'import {module}'"
LOOKED_FOR = "such as --app shop.celery:app"
WATCHING = """
from celery import Celery
from flagstaff.workers import watching
watching.watch(Celery("shop"))
"""


@pytest.mark.parametrize(
    ("module", "code", "says"),
    [
        ("app_environ", "import os\nos.environ['NOT_SET']", ("KeyError: 'NOT_SET'", SEE)),
        ("app_raises", "raise RuntimeError('no settings')", ("RuntimeError: no settings", SEE)),
        ("app_syntax", "def x(:", ("SyntaxError: invalid syntax", SEE)),
        ("app_other", "app = 3", ("{module}:app: it is of the type int", LOOKED_FOR)),
        ("app_watches", WATCHING, ("there is no server to connect to", "where workers run")),
    ],
)
def test_an_application_that_cannot_be_loaded_is_no_traceback(
    tmp_path, monkeypatch, capsys, module, code, says
):
    (tmp_path / f"{module}.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLAGSTAFF_URL", raising=False)
    assert run(["workers", "ready", "shop.notify", "--app", f"{module}:app"]) == 2
    told = capsys.readouterr().err
    for words in (f"{module}:app", *says):
        assert words.format(module=module) in told


def test_a_proof_names_every_place(capsys):
    places = (
        Place(place="queue a"),
        Place(place="queue b", count=3, embedded=1, exact=False),
        Place(place="beat entries", doubt="give --app"),
    )
    workers._show_proof(Proof(name="n", places=places, looks=1, stable=0, wanted=30))
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "✓ queue a: empty",
        "✗ queue b: found, about 3 jobs, 1 to follow others",
        "? beat entries: unknown, give --app",
    ]
    assert told.err == "n is not drained\n"


@pytest.mark.parametrize(
    ("replies", "reached", "expected", "doubt"),
    [
        (2, 2, 0, ""),
        (2, 2, 2, ""),
        (0, 0, 0, ""),
        (1, 2, 0, "1 of 2 workers answered"),
        (2, 2, 3, "2 of 3 expected workers answered"),
        (2, None, 0, "this broker does not say how many workers there are: give --workers N"),
        (2, None, 2, ""),
    ],
)
def test_when_answers_are_all_there_are(replies, reached, expected, doubt):
    answers = Answers(
        replies=tuple((str(each), {}) for each in range(replies)),
        reached=reached,
        expected=expected,
    )
    assert answers.doubt == doubt


def test_what_was_migrated_is_shown_by_place(capsys):
    places = (Moved(place="queue a", jobs=1_200, embedded=2), Moved(place="queue b", left=3))
    migration = Migration(old="shop.notify", new="integrations.notify")
    done = Outcome(migration=migration, places=places, settled=False)
    workers_migrate._show(done, dry=False)
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "✓ queue a: 1,200 jobs, 2 to follow others",
        "✗ queue b: 0 jobs, 3 left",
    ]
    assert "1,200 jobs of shop.notify migrated to integrations.notify" in told.err
    assert "is still being published" in told.err
    assert "flagstaff workers drained shop.notify" in told.err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("a", "a"), 2, "a stays what and where it is"),
        (("a", "b", "--old-queue", "c"), 2, "one queue is named, and not the other"),
        (("a", "b", "--broker-file", "no/such/file"), 2, "one of --broker"),
    ],
)
def test_a_migration_that_makes_no_sense_is_refused(capsys, words, code, says):
    assert run(["workers", "migrate", *words, "--broker", "redis://127.0.0.1:1/0"]) == code
    assert says in capsys.readouterr().err
