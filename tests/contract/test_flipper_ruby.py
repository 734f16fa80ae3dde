"""Ruby's own Flipper reads our flags, answers as our SDK does, and changes them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from decimal import Decimal

import pytest

import flagstaff
from flagstaff.flags.change import Actors, Boolean, PercentageOfActors

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

ACTORS = [f"User:{number}" for number in range(100)]
NAMES = ("new_navigation", "dark_mode", "new_search", "old_search")
START = """
require 'json'
require 'set'
require 'net/http'
require 'flipper'
given = JSON.parse(ARGV[0])
headers = { 'authorization' => "Bearer #{given['token']}" }
url = given['url'] + '/flipper/api'
answers = lambda do |flipper|
  given['flags'].to_h do |flag|
    [flag, given['actors'].to_h { |id| [id, flipper[flag].enabled?(Flipper::Actor.new(id))] }]
  end
end
"""
DEBIAN = """
found = JSON.parse(Net::HTTP.get(URI(url + '/features'), headers))['features']
source = found.to_h do |feature|
  gates = feature['gates'].to_h do |gate|
    [gate['key'].to_sym, gate['value'].is_a?(Array) ? gate['value'].to_set : gate['value']]
  end
  [feature['key'], gates.reject { |key, _| key == :expression }]
end
puts JSON.generate(answers.call(Flipper.new(Flipper::Adapters::Memory.new(source))))
"""
ADAPTER = """
require 'flipper/adapters/http'
adapter = Flipper::Adapters::Http.new(url: url, headers: headers)
flipper = Flipper.new(adapter)
result = { before: answers.call(flipper), all: flipper.features.map(&:key).sort }
result[:preloaded] = flipper.preload(['dark_mode', 'nowhere']).map { |each| each.state.to_s }
flipper.enable(:dark_mode)
result[:on] = flipper[:dark_mode].state
flipper.disable(:dark_mode)
flipper.enable_actor(:dark_mode, Flipper::Actor.new('User:1'))
flipper.enable_actor(:dark_mode, Flipper::Actor.new('User:2'))
flipper.disable_actor(:dark_mode, Flipper::Actor.new('User:2'))
Flipper.register(:staff) { |actor| actor.flipper_id == 'User:9' }
flipper.enable_group(:dark_mode, :staff)
flipper.enable_percentage_of_actors(:dark_mode, 25)
result[:values] = flipper[:dark_mode].gate_values.then do |values|
  { boolean: values.boolean, actors: values.actors.to_a, groups: values.groups.to_a,
    percentage_of_actors: values.percentage_of_actors }
end
result[:staff] = flipper[:dark_mode].enabled?(Flipper::Actor.new('User:9'))
gold = Flipper.property(:plan).eq('gold')
flipper[:dark_mode].enable_expression(gold)
member = Flipper::Actor.new('User:90', 'plan' => 'gold')
result[:gold] = flipper[:dark_mode].enabled?(member)
flipper[:dark_mode].disable_expression
flipper.enable_percentage_of_time(:dark_mode, 5)
flipper.disable_percentage_of_time(:dark_mode)
flipper.disable_percentage_of_actors(:dark_mode)
flipper.disable_group(:dark_mode, :staff)
result[:state] = flipper[:dark_mode].state
flipper[:dark_mode].clear
result[:cleared] = flipper[:dark_mode].state
adapter.get_all
result[:again] = adapter.get_all.keys.sort
result[:status] = adapter.last_get_all_response.code
local = Flipper.new(Flipper::Adapters::Memory.new)
local.enable(:dark_mode)
local.enable_percentage_of_actors(:new_search, 12)
local.enable_actor(:new_search, Flipper::Actor.new('User:4'))
flipper.import(local)
result[:imported] = given['flags'].to_h { |flag| [flag, flipper[flag].state] }
flipper.remove(:dark_mode)
begin
  Flipper.new(Flipper::Adapters::Http.new(url: url)).features
rescue Flipper::Adapters::Http::Error => error
  result[:refused] = error.response.code
end
puts JSON.generate(result)
"""


def ruby(script, given, *options):
    if not shutil.which("ruby"):
        pytest.skip("ruby is not installed")
    check = ["ruby", *options, "-e"]
    wanted = "flipper/adapters/http" if script is ADAPTER else "flipper"
    there = subprocess.run(
        [*check, f"require 'flipper'; require '{wanted}'"], capture_output=True, check=False
    )
    if there.returncode:
        pytest.skip(f"ruby has no {wanted}: `gem install flipper`, or name it in FLIPPER_LIB")
    done = subprocess.run(
        [*check, START + script, json.dumps(given)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(autouse=True)
def _nothing_set(server):
    yield
    for name in NAMES:
        server.forget(name)


@pytest.fixture
def expected(server):
    server.set("new_navigation", PercentageOfActors(value=Decimal("37.125")))
    server.set("new_navigation", Actors(ids=("User:3",), value=True))
    server.set("new_search", Boolean(value=True))
    client = flagstaff.Client.connect(
        server.url, environment="production", token=server.token, cache=None
    )
    answers = {name: {each: client.is_enabled(name, each) for each in ACTORS} for name in NAMES}
    client.close()
    assert len(set(answers["new_navigation"].values())) == 2
    assert answers["old_search"]["User:1"] is True
    return answers


@pytest.fixture
def given(server):
    return {"url": server.url, "token": server.token, "flags": NAMES, "actors": ACTORS}


def test_flipper_evaluates_what_we_serve_as_our_sdk_does(expected, given):
    assert ruby(DEBIAN, given) == expected


def test_the_http_adapter(expected, given, server):
    folder = os.environ.get("FLIPPER_LIB")
    found = ruby(ADAPTER, given, *([f"-I{folder}"] if folder else []))
    assert found["before"] == expected
    assert found["all"] == sorted([*NAMES, "button"])
    assert found["preloaded"] == ["off", "off"]
    assert (found["on"], found["state"], found["cleared"]) == ("on", "conditional", "off")
    assert found["values"] == {
        "boolean": False,
        "actors": ["User:1"],
        "groups": ["staff"],
        "percentage_of_actors": 25,
    }
    assert found["staff"] is found["gold"] is True
    assert (found["again"], found["status"]) == (sorted([*NAMES, "button"]), "304")
    assert found["imported"] == {
        "new_navigation": "off",
        "dark_mode": "on",
        "new_search": "conditional",
        "old_search": "on",
    }
    assert found["refused"] == "401"
    entry = server.audit("dark_mode")[0]
    assert (entry["action"], entry["source"]) == ("flag.delete", "api")
