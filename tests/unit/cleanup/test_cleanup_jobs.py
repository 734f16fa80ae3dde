"""What becomes of the names of background jobs and queues."""

from __future__ import annotations

from textwrap import dedent

import pytest

from flagstaff.cleanup.changes import OldJob
from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

JOB = OldJob(old="app.tasks.old", new="app.tasks.new", old_queue="old_q", new_queue="new_q")


def planned(files, *, keep=True, job=JOB):
    tree = MemoryTree({path: dedent(text).encode() for path, text in files.items()})
    return plan_in(tree, CleanupRequest(flag="flag", keep=keep, renames=(job,)))


def clean(source, *, path="app/config.py", **more):
    files = {path: source, **more.pop("others", {})}
    changes = {change.path: change.after for change in planned(files, **more).changes}
    return changes[path].decode() if path in changes else dedent(source)


LITERALS = {
    "first of a list": ('queues = ["old_q", "new_q"]\n', 'queues = ["new_q"]\n'),
    "last of a list": ('queues = ["new_q", "old_q"]\n', 'queues = ["new_q"]\n'),
    "one left in a tuple": ('queues = ("new_q", "old_q")\n', 'queues = ("new_q",)\n'),
    "none left": ('queues = [\n    "old_q",\n]\n', "queues = []\n"),
    "a set": ('queues = {"old_q", "new_q"}\n', 'queues = {"new_q"}\n'),
    "comments above belong below": (
        'names = [\n    # a\n    "a",  # is\n    # o\n    "app.tasks.old",\n    # b\n    "b",\n]\n',
        'names = [\n    # a\n    "a",  # is\n    # b\n    "b",\n]\n',
    ),
    "the comment of the first goes with it": (
        'names = [\n    # old\n    "app.tasks.old",\n    # b\n    "b",\n]\n',
        'names = [\n    # b\n    "b",\n]\n',
    ),
    "pairs of routes": (
        'routes = [("app.tasks.old", {"queue": "old_q"}), ("b.*", {"queue": "b"})]\n',
        'routes = [("b.*", {"queue": "b"})]\n',
    ),
    "a map of names": ('renamed = {"a": "app.tasks.old", "b": 1}\n', 'renamed = {"b": 1}\n'),
    "a schedule that has the new name": (
        'beat = {"a": {"task": "app.tasks.old"}, "b": {"task": "app.tasks.new"}}\n',
        'beat = {"b": {"task": "app.tasks.new"}}\n',
    ),
    "a schedule that has not": (
        "beat = {'a': {'task': 'app.tasks.old', 'schedule': 5}}\n",
        "beat = {'a': {'task': 'app.tasks.new', 'schedule': 5}}\n",
    ),
    "renames of this flag": (
        'renames = [\n    Rename("a", "b", flag="flag"),\n    Rename("c", "d", flag="g"),\n]\n',
        'renames = [\n    Rename("c", "d", flag="g"),\n]\n',
    ),
    "a common word that is a queue elsewhere": ('APPS = ["old_q"]\n', 'APPS = ["old_q"]\n'),
}


@pytest.mark.parametrize("name", LITERALS)
def test_entries_leave_literals(name):
    source, expected = LITERALS[name]
    assert clean(source) == expected


def test_a_job_with_the_name_its_module_gives_it_goes():
    source = """
    @shared_task
    def old():
        pass


    @app.task(bind=True, queue="new_q")
    def new(self):
        pass
    """
    after = clean(source, path="src/app/tasks.py")
    assert "def old" not in after
    assert "def new" in after


def test_a_registered_class_goes_with_its_registration():
    source = """
    class Old(Task):
        name = "app.tasks.old"


    class New(Task):
        name = "app.tasks.new"


    app.register_task(Old())
    app.register_task(New())
    """
    assert clean(source) == dedent(
        """
        class New(Task):
            name = "app.tasks.new"


        app.register_task(New())
        """
    )


TASKS = """
@shared_task(name="app.tasks.old")
def old():
    pass


@shared_task(name="app.tasks.new")
def new():
    pass
"""


def test_imports_of_a_removed_job_go_too():
    importing = "from app.tasks import (\n    new,\n    old,  # noqa: F401\n)\n\nnew.delay()\n"
    plan = planned({"app/tasks.py": TASKS, "app/a.py": importing})
    after = {change.path: (change.after or b"").decode() for change in plan.changes}
    assert after["app/a.py"] == "from app.tasks import (\n    new,\n)\n\nnew.delay()\n"
    assert "def old" not in after["app/tasks.py"]


@pytest.mark.parametrize(
    "caller",
    ["from app.tasks import old\n\nold.delay()\n", "from app import tasks\n\ntasks.old()\n"],
)
def test_a_job_that_is_still_called_stays_and_is_reported(caller):
    plan = planned({"app/tasks.py": TASKS, "app/a.py": caller})
    assert plan.changes == ()
    assert {residue.reference.kind for residue in plan.residues} == {"job"}


def test_a_queue_other_jobs_still_use_stays():
    source = 'queues = [Queue("old_q")]\nroutes = {"other": {"queue": "old_q"}}\n'
    assert clean(source) == source
    assert clean(source.replace('"other"', '"app.tasks.old"')) == "queues = []\nroutes = {}\n"


def test_a_name_sent_by_text_is_reported():
    plan = planned({"app/a.py": 'app.send_task("app.tasks.old")\n', "run.sh": "worker -Q old_q\n"})
    assert [str(r.reference) for r in plan.residues] == [
        'app/a.py:1: app.send_task("app.tasks.old")',
        "run.sh:1: worker -Q old_q",
    ]


def test_an_old_name_that_is_the_end_of_the_new_one_is_no_use_of_the_old():
    source = """
    @app.task(name="irker")
    def irker():
        send()


    @app.task(name="integrations.irker")
    def integrations_irker():
        send()
    """
    job = OldJob(old="irker", new="integrations.irker")
    assert "def irker" not in clean(source, path="app/tasks.py", job=job)
