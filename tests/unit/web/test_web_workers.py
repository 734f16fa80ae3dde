"""The page of background jobs says how they go under each name, and keeps them back."""

from __future__ import annotations

import html
import re

import pytest

from flagstaff.commands.job_model import SwitchJobs
from flagstaff.commands.model import StartRollout
from flagstaff.commands.plan_model import PlanRollout
from flagstaff.services.jobs import JobCount, JobsReport, QueueSeen, Sums, Waiting
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source
from flagstaff.web.templating import parts

ADA = Person(name="ada", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE)
PLACE = {"task": "shop.notify", "environment": "dev", "reason": "the mail server is down"}


def words(page):
    text = page.text.replace("<wbr>", "")
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def report(application, environment="dev", *, task="shop.notify", variant="new", **sums):
    count = JobCount(
        task=task,
        queue="mail",
        flag="new_navigation",
        variant=variant,
        seconds=0,
        sums=Sums(**sums),
    )
    waiting = Waiting(task=task, depth=7, oldest_s=90.0)
    seen = QueueSeen(queue="mail", depth=9, tasks=(waiting,))
    jobs = JobsReport(counts=(count,), queues=(seen,))
    application.services.context.telemetry.jobs.take(environment, f"host:{task}", jobs)


def test_without_any_report_it_says_how_to_watch(client):
    assert "watching.watch(app)" in words(client.get("/workers"))


def test_both_names_of_a_job_stand_together_with_their_numbers(client, application):
    report(application, task="z.notify", variant="old", started=3, failed=1)
    report(application, task="a.other", started=0)
    report(application, enqueued=5, started=4, waited_s=2.0, ran_s=6.0, retried=2)
    said = words(client.get("/workers"))
    assert "shop.notify new name · new_navigation mail 5 7 oldest 1 min 30 s 2" in said
    assert "2 4 4 lately 0 2 0.50 s 1.50 s all run" in said
    assert "z.notify old name" in said
    assert said.index("z.notify") > said.index("shop.notify")


PLAN = """\
flag: new_navigation
announce_to: []
steps:
  - {id: gone, stage: Old jobs, check: {drained: z.notify, broker: main}}
"""


@pytest.fixture
def broker(root):
    (root / "flagstaff.yml").write_text("brokers: {main: {url: 'redis://127.0.0.1:6379/0'}}\n")


@pytest.mark.usefixtures("broker")
def test_the_proof_that_no_job_is_left_stands_beside_the_name(request):
    client = request.getfixturevalue("client")
    application = request.getfixturevalue("application")
    report(application, task="z.notify", variant="old", started=3)
    report(application, started=3)
    assert 'class="proof"' not in client.get("/workers?part=tasks").text
    number = application.services.execute(PlanRollout(text=PLAN), ADA).data["rollout"]
    page = client.get("/workers?part=tasks")
    said = words(page)
    assert f"z.notify old name · new_navigation not proven drained rollout #{number}" in said
    assert said.count("not proven drained") == 1
    assert f'href="/rollouts/{number}#step-gone"' in page.text
    application.services.execute(StartRollout(rollout=number), ADA)
    assert client.get("/workers?part=tasks").text.count('class="proof"') == 1


@pytest.mark.parametrize(
    ("do", "share", "becomes"),
    [("defer", "100", "0 % run, 100 % put off"), ("run", "25 %", "25 % run, 75 % put off")],
)
def test_jobs_are_put_off_and_run_again(client, application, do, share, becomes):
    report(application, started=1)
    page = client.post("/workers", data={**PLACE, "do": do, "percentage": share})
    assert page.status_code == 200
    assert becomes in words(page)
    assert "the mail server is down" in words(client.get("/audit", params={"action": "flag"}))
    again = client.post("/workers", data={**PLACE, "do": "run"})
    assert "all run" in words(again)


def test_a_switch_of_a_job_that_nobody_reports_is_there(client, application):
    application.services.execute(
        SwitchJobs(task="gone", action="drop", environments=("dev",), reason="x"), ADA
    )
    said = words(client.get("/workers"))
    assert "gone nothing is reported about it 100 % dropped" in said


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"task": "no name"}, "is no name of a job"),
        ({"do": "explode"}, "is nothing to do"),
        ({"reason": ""}, "why"),
        ({"percentage": "many"}, "many"),
    ],
)
def test_what_cannot_be_done_is_said(client, application, wrong, said):
    report(application, started=1)
    page = client.post("/workers", data={**PLACE, "do": "defer", **wrong})
    assert page.status_code in {400, 422}
    assert said in words(page)


def test_a_name_breaks_after_its_words_and_is_escaped(client, application):
    report(application, task="clusters.activate_integration", started=1)
    assert "clusters.<wbr>activate_<wbr>integration</code>" in client.get("/workers").text
    assert str(parts("a.<b>_")) == "a.<wbr>&lt;b&gt;_"


def test_the_table_alone_is_a_part(client, application):
    report(application, started=1)
    part = client.get("/workers?part=tasks").text
    assert part.startswith('<div id="tasks"')
    assert "shop.notify" in part
