"""Does every flag answer as the real Flipper answers? Runs where Ruby has the gem `flipper`."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from decimal import Decimal

import pytest

from flagstaff import Actor, Client
from flagstaff.flags.gates import Gates

RUBY = shutil.which("ruby")

PROGRAM = r"""
require "json"
require "flipper"
require "flipper/adapters/memory"

class Asked
  attr_reader :flipper_id, :flipper_properties
  def initialize(id, properties)
    @flipper_id = id
    @flipper_properties = properties
  end
end

Flipper.register(:users) do |actor|
  actor.respond_to?(:flipper_id) && actor.flipper_id.start_with?("User")
end
asked = JSON.parse($stdin.read)
answers = asked["flags"].map do |name, steps|
  flipper = Flipper.new(Flipper::Adapters::Memory.new)
  flag = flipper[name]
  flag.add
  steps.each do |step, value|
    case step
    when "enable" then flag.enable
    when "disable" then flag.disable
    when "add_actor" then flag.enable_actor(Asked.new(value, {}))
    when "remove_actor" then flag.disable_actor(Asked.new(value, {}))
    when "add_group" then flag.enable_group(value)
    when "remove_group" then flag.disable_group(value)
    when "percentage_of_actors"
      flag.enable_percentage_of_actors(value.include?(".") ? value.to_f : value.to_i)
    when "expression" then flag.enable_expression(Flipper::Expression.build(value))
    end
  end
  results = asked["actors"].map do |actors|
    listed = actors.map { |id, properties| Asked.new(id, properties) }
    listed.empty? ? flag.enabled? : flag.enabled?(*listed)
  end
  [name, { "state" => flag.state.to_s, "answers" => results.map { |each| each ? 1 : 0 }.join }]
end
puts JSON.generate(answers.to_h)
"""


def real_flipper(flags, actors):
    done = subprocess.run(
        [RUBY, "-e", PROGRAM],
        input=json.dumps({"flags": flags, "actors": actors}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.fixture(autouse=True, scope="module")
def _gem():
    if RUBY is None:
        pytest.skip("Ruby is not installed")
    if subprocess.run([RUBY, "-rflipper", "-e", "0"], capture_output=True, check=False).returncode:
        pytest.skip("the gem flipper is not installed")


@pytest.fixture
def _modern():
    """Flipper asks about several actors and knows expressions since 1.0 and 1.2."""
    program = "exit(defined?(Flipper::Expression) ? 0 : 1)"
    if subprocess.run([RUBY, "-rflipper", "-e", program], check=False).returncode:
        pytest.skip("this Flipper is too old")


def written(steps):
    """Return the gates after the same writes."""
    gates = Gates()
    for step, value in steps:
        match step:
            case "enable":
                gates = gates.enable()
            case "disable":
                gates = gates.disable()
            case "add_actor":
                gates = gates.add_actors([value])
            case "remove_actor":
                gates = gates.remove_actors([value])
            case "add_group":
                gates = gates.add_groups([value])
            case "remove_group":
                gates = gates.remove_groups([value])
            case "expression":
                gates = gates.set_expression(value)
            case "percentage_of_actors" if gates.boolean:
                # Flipper leaves the boolean gate open; ours narrows the flag in one step.
                gates = gates.set_percentage_of_actors(Decimal(value)).enable()
            case "percentage_of_actors":
                gates = gates.set_percentage_of_actors(Decimal(value))
    return gates


def compare(flags, actors):
    found = real_flipper(flags, actors)
    client = Client.memory({name: written(steps) for name, steps in flags.items()})
    client.register_group("users", lambda actor: actor.flag_id.startswith("User"))
    for name, steps in flags.items():
        ours = "".join(
            str(int(client.is_enabled(name, *(Actor(*each) for each in listed))))
            for listed in actors
        )
        assert ours == found[name]["answers"], (name, steps)
        assert written(steps).state == found[name]["state"], (name, steps)


def test_ten_thousand_actors_at_many_percentages():
    shares = ["0", "0.001", "0.5", "1", "9.89", "9.891", "25", "33.333", "50", "99.999", "100"]
    flags = {f"share_{n}": [["percentage_of_actors", share]] for n, share in enumerate(shares)}
    actors = [[[f"{kind}:{n}", {}]] for kind in ("User", "Project") for n in range(5_000)]
    compare(flags, actors)


@pytest.mark.usefixtures("_modern")
def test_several_actors_in_one_question():
    flags = {f"share_{n}": [["percentage_of_actors", str(n * 10)]] for n in range(11)}
    generator = random.Random(3)
    actors = [
        [[f"User:{generator.randrange(500)}", {}] for _ in range(generator.randrange(4))]
        for _ in range(500)
    ]
    compare(flags, actors)


def test_writes_in_any_order():
    generator = random.Random(5)
    ids = [f"User:{n}" for n in range(8)] + ["Project:7"]
    choices = {
        "enable": [None],
        "disable": [None],
        "add_actor": ids,
        "remove_actor": ids,
        "add_group": ["users", "nobody"],
        "remove_group": ["users", "nobody"],
        "percentage_of_actors": ["0", "10", "50.5", "100"],
    }
    flags = {}
    for number in range(300):
        steps = []
        for _ in range(generator.randrange(1, 7)):
            step = generator.choice(list(choices))
            steps.append([step, generator.choice(choices[step])])
        narrowed = False
        on = False
        for step, _value in steps:
            on = on if step not in {"enable", "disable"} else step == "enable"
            narrowed = narrowed or (on and step == "percentage_of_actors")
        if not narrowed:
            flags[f"flag_{number}"] = steps
    assert len(flags) > 150
    compare(flags, [[], *([[each, {}]] for each in ids)])


PLAN = {"Property": ["plan"]}
AGE = {"Property": ["age"]}


@pytest.mark.parametrize(
    "expression",
    [
        {"Equal": [PLAN, "gold"]},
        {"NotEqual": [PLAN, "gold"]},
        {"GreaterThan": [AGE, 20]},
        {"GreaterThanOrEqualTo": [AGE, 21]},
        {"LessThan": [AGE, 21.5]},
        {"LessThanOrEqualTo": [PLAN, "gold"]},
        {"GreaterThan": [PLAN, 3]},
        {"Equal": [AGE, "21"]},
        {"Equal": [{"String": [AGE]}, "21"]},
        {"Equal": [{"Number": ["21"]}, AGE]},
        {"All": [{"Equal": [PLAN, "gold"]}, {"GreaterThan": [AGE, 20]}]},
        {"Any": [{"Equal": [PLAN, "gold"]}, {"GreaterThan": [AGE, 20]}]},
        {"Boolean": [{"Property": ["admin"]}]},
        {"PercentageOfActors": [{"Property": ["flipper_id"]}, 40]},
        {"GreaterThan": [{"Now": []}, {"Time": ["2020-01-01T00:00:00Z"]}]},
        {"Equal": [{"Time": ["2020-01-01T01:00:00+01:00"]}, {"Time": ["2020-01-01T00:00:00Z"]}]},
        {"Equal": [{"Property": ["admin"]}, 1]},
    ],
    ids=str,
)
@pytest.mark.usefixtures("_modern")
def test_expressions(expression):
    properties = [
        {},
        {"plan": "gold", "age": 21},
        {"plan": "silver", "age": 35, "admin": True},
        {"plan": "gold", "age": 20.5, "admin": "true"},
        {"age": "21", "admin": 1},
    ]
    actors = [[], *([[f"User:{n}", each]] for n, each in enumerate(properties))]
    compare({"flag": [["expression", expression]]}, actors)
