"""What we say another system answers is what its own SDK answers, on the same export."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from python_packages import python_with, run_python

from flagstaff.flags.actor import Actor
from flagstaff.flags.flag import Flag
from flagstaff.importers import Fate, compare, read_export

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

SAMPLES = Path(__file__).parents[1] / "unit/importers/samples"
COUNT = 1_200
PACKAGES = {
    "unleash": ("UnleashClient==6.9.1",),
    "launchdarkly": ("launchdarkly-server-sdk==9.20.0",),
    "growthbook": ("growthbook==4.0.0",),
    "waffle": ("django-waffle==5.0.0", "Django==5.2.19"),
}
READ = """
import json, sys
given = json.loads(sys.argv[1])
export = json.load(open(given["export"]))
actors = json.load(open(given["actors"]))
"""
UNLEASH = (
    READ
    + """
import tempfile
from UnleashClient import UnleashClient
from UnleashClient.cache import FileCache
cache = FileCache("tests", directory=tempfile.mkdtemp())
cache.bootstrap_from_dict(export)
client = UnleashClient(
    url="http://127.0.0.1:1", app_name="tests", cache=cache, disable_metrics=True,
    disable_registration=True, verbose_log_level=0,
)
answers = {
    feature["name"]: [
        client.is_enabled(feature["name"], {
            "userId": each["id"],
            **({"remoteAddress": each["attributes"]["remoteAddress"]}
               if "remoteAddress" in each["attributes"] else {}),
            "properties": each["attributes"],
        })
        for each in actors
    ]
    for feature in export["features"]
}
print(json.dumps(answers))
"""
)
LAUNCHDARKLY = (
    READ
    + """
import logging
logging.disable(logging.CRITICAL)
import ldclient
from ldclient import Context
from ldclient.config import Config
from ldclient.integrations import Files
source = Files.new_data_source(paths=[given["export"]])
config = Config("sdk-key", update_processor_class=source, send_events=False,
                diagnostic_opt_out=True)
with ldclient.client.LDClient(config, start_wait=30) as client:
    assert client.is_initialized()
    contexts = []
    for each in actors:
        builder = Context.builder(each["id"])
        for name, value in each["attributes"].items():
            builder.set(name, value)
        contexts.append(builder.build())
    answers = {
        key: [client.variation(key, context, False) for context in contexts]
        for key in [*export["flags"], *export["flagValues"]]
    }
print(json.dumps(answers))
"""
)
GROWTHBOOK = (
    READ
    + """
import logging
logging.disable(logging.CRITICAL)
from growthbook import GrowthBook
answers = {key: [] for key in export["features"]}
for each in actors:
    book = GrowthBook(
        attributes={**each["attributes"], "id": each["id"]}, features=export["features"],
        savedGroups=export["savedGroups"],
    )
    for key in answers:
        answers[key].append(book.eval_feature(key).value)
print(json.dumps(answers))
"""
)
WAFFLE = (
    READ
    + """
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "waffle"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    USE_TZ=True,
)
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth.models import Group, User
User.objects.bulk_create([
    User(pk=int(each["id"].removeprefix("User:")), username=each["id"],
         is_staff=each["attributes"].get("is_staff", False),
         is_superuser=each["attributes"].get("is_superuser", False))
    for each in actors
])
call_command("loaddata", given["export"], verbosity=0)
for each in actors:
    if each["attributes"].get("groups"):
        User.objects.get(username=each["id"]).groups.add(Group.objects.get(name="editors"))
import waffle
from django.test import RequestFactory
from waffle.models import Flag, Switch
answers = {name: [] for name in Flag.objects.values_list("name", flat=True)}
for each in actors:
    request = RequestFactory().get("/")
    request.user = User.objects.get(username=each["id"])
    request.LANGUAGE_CODE = each["attributes"].get("language", "en")
    for name in answers:
        answers[name].append(bool(waffle.flag_is_active(request, name)))
for switch in Switch.objects.all():
    answers[switch.name] = [waffle.switch_is_active(switch.name)] * len(actors)
print(json.dumps(answers))
"""
)
SYSTEMS = {
    "unleash": (UNLEASH, "unleash_client.json"),
    "launchdarkly": (LAUNCHDARKLY, "launchdarkly_file.json"),
    "growthbook": (GROWTHBOOK, "growthbook.json"),
    "waffle": (WAFFLE, "waffle.json"),
}


def actors_of(system):
    """Return actors with all kinds of attributes, missing ones included."""
    dice = random.Random(4)
    found = []
    for number in range(1, COUNT + 1):
        attributes = {
            "plan": dice.choice(("gold", "silver", "free")),
            "country": dice.choice(("de", "fr", "be", "d")),
            "age": dice.randrange(18, 70),
            "company": f"company-{dice.randrange(50)}",
            "remoteAddress": f"10.0.0.{dice.randrange(6)}",
        }
        if system == "waffle":
            attributes = {
                "is_staff": dice.random() < 0.1,
                "is_superuser": dice.random() < 0.05,
                "language": dice.choice(("de", "en", "fr")),
                "groups": ["editors"] if dice.random() < 0.2 else [],
            }
        kept = {name: value for name, value in attributes.items() if dice.random() < 0.9}
        if system == "unleash":  # where all attributes are texts
            kept = {name: str(value) for name, value in kept.items()}
        found.append(Actor(f"User:{number}", kept))
    return found


@pytest.fixture(scope="module", params=SYSTEMS)
def asked(request, tmp_path_factory):
    """Return the system, its export as we read it, the actors, and its own answers."""
    system = request.param
    script, file = SYSTEMS[system]
    actors = actors_of(system)
    listed = tmp_path_factory.mktemp("actors") / "actors.json"
    listed.write_text(
        json.dumps([{"id": each.flag_id, "attributes": each.flag_attributes} for each in actors])
    )
    given = {"export": str(SAMPLES / file), "actors": str(listed)}
    answers = run_python(python_with(*PACKAGES[system]), script, given)
    export = read_export((SAMPLES / file).read_bytes(), source=file)
    assert export.system == system
    return system, export, actors, answers


def test_answers_before_are_those_of_the_real_sdk(asked):
    system, export, actors, answers = asked
    compared = 0
    for flag in export.flags:
        if flag.theirs not in answers:
            assert system == "waffle"  # samples, which are drawn anew each time
            continue
        real = answers[flag.theirs]
        for actor, answer in zip(actors, real, strict=True):
            said = flag.places[""].answer(actor)
            if said is None or 0 < said < 1:
                continue  # said to be unforeseeable, or a matter of chance
            compared += 1
            assert said == (answer is True), f"{flag.theirs}: {actor}"
    assert compared > COUNT * len(export.flags) * 0.75


def test_chance_is_foretold_as_a_share(asked):
    _, export, actors, answers = asked
    for flag in export.flags:
        said = [flag.places[""].answer(actor) for actor in actors]
        if flag.theirs not in answers or not any(each and 0 < each < 1 for each in said):
            continue
        real = sum(each is True for each in answers[flag.theirs])
        # Six standard deviations: once in a billion runs.
        assert abs(real - sum(said)) < 6 * (COUNT * 0.25) ** 0.5


def test_a_flag_said_to_be_the_same_is_the_same_for_everybody(asked):
    _, export, actors, _ = asked
    after = {
        flag.name: Flag(
            name=flag.name,
            gates=flag.places[""].gates,
            bucketing=flag.bucketing,
            prerequisites=flag.prerequisites,
        )
        for flag in export.flags
    }
    same = [(flag, flag.places[""]) for flag in export.flags if flag.places[""].fate is Fate.SAME]
    assert len(same) > 5
    for each in compare(same, after, actors, environment="production"):
        assert (each.gain, each.lose, each.unforeseeable) == (0, 0, 0), each


def test_a_flag_said_to_be_moved_is_moved(asked):
    """Fates are no excuse: whoever is said to be moved is, apart from the tiniest shares."""
    _, export, actors, _ = asked
    after = {
        flag.name: Flag(
            name=flag.name,
            gates=flag.places[""].gates,
            bucketing=flag.bucketing,
            prerequisites=flag.prerequisites,
        )
        for flag in export.flags
    }
    moved = [
        (flag, flag.places[""])
        for flag in export.flags
        if flag.places[""].fate is Fate.MOVED and flag.theirs != "thousandth"
    ]
    assert moved
    for each in compare(moved, after, actors, environment="production"):
        assert each.gain > 0, each
        assert each.lose > 0, each


def test_nobody_is_given_a_flag_by_what_could_not_be_said(asked):
    """What is partly taken over is closed where it is not certain."""
    _, export, actors, _ = asked
    after = {
        flag.name: Flag(
            name=flag.name, gates=flag.places[""].gates, prerequisites=flag.prerequisites
        )
        for flag in export.flags
    }
    lossy = [
        (flag, flag.places[""])
        for flag in export.flags
        if flag.places[""].fate in (Fate.PARTLY, Fate.LOST)
        and not flag.places[""].gates.percentage_of_actors
        and "PercentageOfActors" not in json.dumps(flag.places[""].gates.expression)
    ]
    for each in compare(lossy, after, actors, environment="production"):
        assert each.gain == 0, each
