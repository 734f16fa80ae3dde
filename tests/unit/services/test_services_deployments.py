"""Is it told truly what runs where, and which release has it?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from flagstaff.commands.model import AutoDeployStatus, RecordDeployment, ReleaseCheck
from flagstaff.errors import NotFound, Unavailable, UsageError
from flagstaff.integrations.forge.git import GitRepository
from flagstaff.rollouts.needs import DeployedNeed, Needs, ReleasedNeed
from flagstaff.services import running
from flagstaff.services.services import Services
from flagstaff.store import audit

OLD, NEW = "0" * 40, "1" * 40


@pytest.fixture
def run(services, ada, repository):
    repository.add(OLD, "Begin")
    repository.add(NEW, "Add the navigation")
    return lambda command: services.execute(command, ada)


def record(environment, sha):
    return RecordDeployment(environment=environment, sha=sha)


class TestDeployments:
    def test_are_recorded_with_the_whole_hash(self, run, services):
        outcome = run(record("production", "11111"))
        assert outcome.text == "production now runs 111111111111 Add the navigation"
        assert outcome.data["sha"] == NEW
        assert outcome.next == "flagstaff auto_deploy status 111111111111"
        with services.database.read() as connection:
            [entry] = audit.find(connection)
        assert (entry.action, entry.environment, entry.who) == (
            "deployment.record",
            "production",
            "ada",
        )

    def test_a_deploy_stage_is_a_place_too(self, run):
        assert run(record("canary", NEW)).ok

    def test_unknown_places_and_commits_are_refused(self, run, services):
        with pytest.raises(UsageError, match="stage prod") as caught:
            run(record("prod", NEW))
        assert "production, staging-canary, canary" in caught.value.hint
        with pytest.raises(NotFound, match="no commit 2222"):
            run(record("production", "2222"))
        with services.database.read() as connection:
            assert audit.find(connection) == []

    def test_the_status_lists_every_place(self, run):
        assert not run(AutoDeployStatus()).ok
        run(record("staging", NEW))
        run(record("production", OLD))
        outcome = run(AutoDeployStatus())
        assert outcome.text.splitlines() == [
            "production: 000000000000 Begin (since 2026-03-02 09:00 UTC)",
            "staging: 111111111111 Add the navigation (since 2026-03-02 09:00 UTC)",
        ]
        assert outcome.data == {"production": OLD, "staging": NEW}

    def test_the_status_of_a_commit_lists_where_it_has_arrived(self, run):
        outcome = run(AutoDeployStatus(sha=NEW))
        assert (outcome.ok, outcome.data["environments"]) == (False, [])
        run(record("staging", NEW))
        run(record("production", OLD))
        assert run(AutoDeployStatus(sha="1111")).text == (
            "111111111111 Add the navigation\nis deployed to staging"
        )
        assert run(AutoDeployStatus(sha=OLD)).data["environments"] == ["production", "staging"]
        with pytest.raises(NotFound, match="no commit nowhere"):
            run(AutoDeployStatus(sha="nowhere"))

    def test_going_back_counts(self, run):
        run(record("production", NEW))
        run(record("production", OLD))
        assert not run(AutoDeployStatus(sha=NEW)).ok

    def test_without_a_repository_it_is_unavailable(self, services, ada, context):
        alone = Services(services.database, replace(context, repository=None), services.clock)
        with pytest.raises(Unavailable, match="not in a git repository"):
            alone.execute(record("production", NEW), ada)


class TestAnswers:
    def ask(self, services, ada, **needs):
        return services.ask(lambda unit: running.answers(unit, Needs(**needs)), ada)

    def test_deployed_everywhere_or_not(self, run, services, ada):
        need = DeployedNeed(sha=NEW, environments=("staging", "production"))
        deployed, _, _ = self.ask(services, ada, deployed=need)
        assert not deployed.yes
        assert "flagstaff deployment record staging SHA" in deployed.text
        run(record("staging", NEW))
        run(record("production", OLD))
        deployed, _, _ = self.ask(services, ada, deployed=need)
        assert deployed.text == (
            "`111111111111` Add the navigation is not yet deployed to "
            "production (runs 000000000000)"
        )
        run(record("production", NEW))
        deployed, _, _ = self.ask(services, ada, deployed=need)
        assert deployed.yes

    def test_what_cannot_be_looked_up_is_a_no_with_words(self, run, services, ada):
        del run
        for request, version in (("nowhere", ""), (NEW, "fifteen")):
            need = ReleasedNeed(request=request, version=version)
            _, released, _ = self.ask(services, ada, released=need)
            assert (released.yes, bool(released.text)) == (False, True)

    def test_nobody_asked_nobody_answered(self, run, services, ada):
        del run
        assert self.ask(services, ada) == (None, None, None)


class TestReleaseCheck:
    """The answers of GitLab's own check, from a real history."""

    URL = "https://gitlab.com/group/app/-/merge_requests/12"

    @pytest.fixture
    def merge(self, git_sandbox):
        git_sandbox.commit("Begin")
        git_sandbox.branch("side")
        git_sandbox.commit("Add it", a="a")
        git_sandbox.switch("main")
        git_sandbox.commit("Go on")
        return git_sandbox.merge("side", "Merge it\n\nSee merge request group/app!12")

    @pytest.fixture
    def check(self, services, context, git_sandbox, ada):
        real = replace(context, repository=GitRepository(git_sandbox.root))
        with_git = Services(services.database, real, services.clock)

        def ask(request=self.URL, version=""):
            return with_git.execute(ReleaseCheck(request=request, version=version), ada)

        ask.services = with_git
        return ask

    @pytest.mark.parametrize("version", ["15", "15.2.1", "v15.2", "15.2-ee", "1\u0665.2", "x"])
    def test_a_version_that_is_none(self, check, merge, version):
        del merge
        with pytest.raises(UsageError, match="not a monthly release") as caught:
            check(version=version)
        assert "15.2" in caught.value.hint

    def test_a_request_nobody_knows(self, check, merge):
        del merge
        with pytest.raises(NotFound, match="knows no commit"):
            check("https://gitlab.com/group/app/-/merge_requests/13")

    def test_not_merged(self, check, git_sandbox, merge):
        del merge
        git_sandbox.branch("other")
        git_sandbox.commit("Something", o="o")
        outcome = check("other")
        assert (outcome.ok, outcome.text) == (False, "`other` has not been merged into main yet")

    def test_released(self, check, git_sandbox, merge):
        for tag in ("v15.10.0-ee", "v15.2.0-ee", "v15.2.1-ee"):
            git_sandbox.tag(tag)
        for version in ("", "15.2", "15.9"):
            outcome = check(version=version)
            assert outcome.ok
            assert outcome.text == f"`{merge[:12]}` was first released in v15.2.0-ee"

    def test_in_no_release_and_no_version_asked(self, check, merge):
        outcome = check()
        assert not outcome.ok
        assert f"`{merge[:12]}` is in no release yet" in outcome.text

    def test_in_the_stable_branch(self, check, git_sandbox, merge):
        git_sandbox.git("branch", "15-2-stable-ee")
        outcome = check(version="15.2")
        assert outcome.ok
        assert outcome.text.endswith("is in 15-2-stable-ee and will be released in 15.2")
        assert merge[:12] in outcome.text

    def test_not_in_the_stable_branch(self, check, git_sandbox, merge):
        del merge
        git_sandbox.git("branch", "15-2-stable", "HEAD~1")
        outcome = check(version="15.2")
        assert not outcome.ok
        assert "is not in 15-2-stable and will not be released in 15.2" in outcome.text

    def test_not_cut_and_not_in_production(self, check, git_sandbox, merge, ada):
        del merge
        for sha in (None, git_sandbox.head("HEAD~1")):
            if sha:
                check.services.execute(record("production", sha), ada)
            outcome = check(version="15.2")
            assert not outcome.ok
            assert "is not yet in production, so it cannot be in 15.2" in outcome.text

    def test_not_cut_but_in_production(self, check, merge, ada):
        check.services.execute(record("production", merge), ada)
        outcome = check(version="15.2")
        assert not outcome.ok
        assert "runs in production and will most likely be in 15.2" in outcome.text
