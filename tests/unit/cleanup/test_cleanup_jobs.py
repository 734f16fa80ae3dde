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


@pytest.mark.parametrize(
    "setting",
    [
        'app.conf.update(task_default_queue="old_q")\n',
        'app.conf.task_default_queue = "old_q"\n',
        'CELERY_TASK_DEFAULT_QUEUE = "old_q"\n',
        'conf = {"task_default_queue": "old_q"}\n',
    ],
)
def test_the_queue_of_jobs_without_a_route_stays(setting):
    source = f'{setting}queues = [Queue("old_q"), Queue("new_q")]\n'
    assert clean(source) == source


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


DECLARED = """
from celery import Celery
from flagstaff.workers import renames

app = Celery("shop")


{body}


renames.declare(
    app,
    flag="flag",
    old="shop.notify",
    new="mail.notify",
    {queues}
)
"""
QUEUES = 'old_queue="shop",\n    new_queue="mail",'
UNDER_OLD = '@app.task(name="shop.notify")\ndef notify(n):\n    send(n)'
UNDER_NEW = '@app.task(name="mail.notify", bind=True)\ndef notify(self, n):\n    send(n)'
ROUTED = '\napp.conf.task_routes = {"mail.notify": {"queue": "mail"}}\n'
BODIES = {
    "under the old name": (UNDER_OLD, '@app.task(name="mail.notify")'),
    "under the new name": (UNDER_NEW, '@app.task(name="mail.notify", bind=True)'),
    "in the old queue": (
        UNDER_OLD.replace('")', "\", queue='shop')"),
        "@app.task(name=\"mail.notify\", queue='mail')",
    ),
    "in a queue of its own": (
        UNDER_OLD.replace('")', '", queue="own")'),
        '@app.task(name="mail.notify", queue="own")',
    ),
    "over many lines": (
        UNDER_OLD.replace('name="shop.notify"', '\n    name="shop.notify",\n'),
        '@app.task(\n    name="mail.notify",\n)',
    ),
}


def declaring(body, queues=QUEUES, *, keep=True, **others):
    source = DECLARED.format(body=body, queues=queues)
    files = {"shop.py": source, **others}
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    return plan_in(tree, CleanupRequest(flag="flag", keep=keep))


def after(plan, path="shop.py"):
    return next(each.after.decode() for each in plan.changes if each.path == path)


@pytest.mark.parametrize("name", BODIES)
def test_a_declared_job_takes_on_the_name_and_queue_that_stay(name):
    body, decorator = BODIES[name]
    plan = declaring(body)
    text = after(plan)
    assert decorator in text
    assert text.endswith(ROUTED)
    assert "declare" not in text
    assert "renames" not in text
    assert 'app = Celery("shop")' in text
    assert plan.residues == ()
    compile(text, "shop.py", "exec")


@pytest.mark.parametrize("body", [UNDER_OLD, UNDER_NEW])
def test_it_takes_on_the_old_name_when_the_flag_stays_off(body):
    text = after(declaring(body, keep=False))
    assert 'name="shop.notify"' in text
    assert text.endswith('\napp.conf.task_routes = {"shop.notify": {"queue": "shop"}}\n')
    assert "mail" not in text


def test_a_job_that_its_module_names_gets_the_name_in_words():
    body = "@app.task\ndef notify(n):\n    send(n)"
    assert '@app.task(name="mail.notify")\ndef notify' in after(declaring(body, queues=""))


def test_a_class_takes_on_the_name_as_well():
    body = 'class Notify(app.Task):\n    name = "shop.notify"\n\n    def run(self):\n        send()'
    text = after(declaring(body))
    assert 'name = "mail.notify"\n\n    def run' in text
    assert text.endswith(ROUTED)


ROUTES = {
    "said": ('{"mail.notify": {"queue": "mail"}}', '{"mail.notify": {"queue": "mail"}}'),
    "said of all of them": ('{"mail.*": {"queue": "mail"}}', '{"mail.*": {"queue": "mail"}}'),
    "of another queue": ("{'mail.notify': {'queue': 'x'}}", "{'mail.notify': {'queue': 'mail'}}"),
    "of the old name": (
        '{"a": {"queue": "a"}, "shop.notify": {"queue": "shop", "priority": 3}}',
        '{"a": {"queue": "a"}, "mail.notify": {"queue": "mail", "priority": 3}}',
    ),
    "of others": (
        '{"a": {"queue": "a"}}',
        '{"a": {"queue": "a"}, "mail.notify": {"queue": "mail"}}',
    ),
    "over lines": (
        '{\n    "a": {"queue": "a"},\n}',
        '{\n    "a": {"queue": "a"},\n    "mail.notify": {"queue": "mail"},\n}',
    ),
    "none": ("{}", '{"mail.notify": {"queue": "mail"}}'),
}


@pytest.mark.parametrize("setting", ["app.conf.task_routes = {}", "CELERY_TASK_ROUTES = {}"])
@pytest.mark.parametrize("name", ROUTES)
def test_routes_say_the_queue(name, setting):
    before, wanted = ROUTES[name]
    plan = declaring(UNDER_OLD, **{"conf.py": f"{setting.replace('{}', before)}\n"})
    found = next((e.after.decode() for e in plan.changes if e.path == "conf.py"), None)
    assert found == (None if before == wanted else f"{setting.replace('{}', wanted)}\n")
    assert "queue" not in after(plan)


def test_where_routes_are_no_literal_the_job_says_it():
    plan = declaring(UNDER_OLD, **{"conf.py": "CELERY_TASK_ROUTES = [route]\n"})
    assert '@app.task(name="mail.notify", queue="mail")' in after(plan)
    body = 'class Notify(app.Task):\n    name = "shop.notify"\n\n    def run(self):\n        send()'
    plan = declaring(body, **{"conf.py": "CELERY_TASK_ROUTES = [route]\n"})
    assert 'name = "mail.notify"\n    queue = "mail"\n\n    def run' in after(plan)


def test_several_jobs_of_an_application_share_the_routes_that_are_made():
    more = DECLARED.format(body=UNDER_OLD, queues=QUEUES)
    more += more[more.index("renames.declare") :].replace("notify", "tell")
    more = more.replace(
        "renames.declare", '@app.task(name="shop.tell")\ndef tell(): ...\n\n\nrenames.declare', 1
    )
    tree = MemoryTree({"shop.py": more.encode()})
    text = after(plan_in(tree, CleanupRequest(flag="flag", keep=True)))
    routes = '{"mail.notify": {"queue": "mail"}, "mail.tell": {"queue": "mail"}}'
    assert text.endswith(f"app.conf.task_routes = {routes}\n")
    apart = DECLARED.format(body=UNDER_OLD.replace("notify", "tell"), queues=QUEUES)
    text = after(
        declaring(
            UNDER_OLD,
            **{
                "other.py": apart.replace("mail.notify", "mail.tell").replace(
                    "shop.notify", "shop.tell"
                )
            },
        )
    )
    assert '@app.task(name="mail.notify", queue="mail")' in text


def test_what_sends_it_by_name_sends_the_other():
    others = {"web.py": "app.send_task(\"shop.notify\", (1,))\nsignature('shop.notify')\n"}
    plan = declaring(UNDER_OLD, **others)
    assert (
        after(plan, "web.py") == "app.send_task(\"mail.notify\", (1,))\nsignature('mail.notify')\n"
    )


def test_where_both_have_a_body_the_old_one_goes():
    both = f"{UNDER_OLD}\n\n\n{UNDER_NEW.replace('def notify', 'def notify_mail')}"
    text = after(declaring(both))
    assert "def notify(" not in text
    assert "bind=True)\ndef notify_mail(self, n)" in text


def test_a_flag_that_a_constant_names_is_found():
    source = DECLARED.format(body=UNDER_OLD, queues=QUEUES).replace('flag="flag"', "flag=FLAG")
    source = source.replace("app = Celery", 'FLAG = "flag"\napp = Celery')
    tree = MemoryTree({"shop.py": source.encode()})
    text = after(plan_in(tree, CleanupRequest(flag="flag", keep=True)))
    assert "FLAG" not in text
    assert 'name="mail.notify"' in text


@pytest.mark.parametrize(
    "body",
    ["", f"{UNDER_OLD}\n\n\n{UNDER_OLD.replace('def notify', 'def again')}"],
    ids=["none", "two"],
)
def test_a_declared_job_stays_declared_where_its_body_is_not_known(body):
    plan = declaring(body)
    assert plan.changes == ()
    assert [each.reference.line for each in plan.residues]


def test_an_import_that_only_registers_the_job_stays():
    plan = declaring(UNDER_OLD, **{"__init__.py": "from shop import notify  # noqa: F401\n"})
    assert [each.path for each in plan.changes] == ["shop.py"]
