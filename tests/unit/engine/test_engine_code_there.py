"""Does a change of the flag wait when the code that it is about has been taken back?"""

from __future__ import annotations

from fakes import plan_of, turn_on
from flagstaff.commands.model import ApproveStep, RecordDeployment
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.plan import Approve, CheckDeployed
from flagstaff.rollouts.rollout import Phase

BEFORE = "0" * 40


def test_a_canary_rolled_back_holds_the_change_until_it_is_rolled_out_again(lab):
    sha = lab.repository.add("fea" + "0" * 37)
    check = CheckDeployed(sha=sha, environments=("canary", "production"))
    number = lab.added(plan_of(check, Approve(), turn_on("production")))
    lab.deploy("canary", sha)
    lab.deploy("production", sha)
    assert lab.at(number) == "s2"
    lab.deploy("canary", BEFORE)
    lab.execute(ApproveStep(rollout=number, reason="tried it"))
    assert lab.at(number) == "s3"
    note = lab.look(number).rollout.state("s3").note
    assert "canary (runs 000000000000), where it was before" in note
    assert lab.gates("production") is None
    lab.execute(RecordDeployment(environment="canary", sha=sha))
    lab.engine.look()
    assert lab.look(number).rollout.phase is Phase.COMPLETED
    assert lab.gates("production") == Gates(boolean=True)
