"""Does a clean-up become a merge request, once, with its tests run first?"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from flagstaff.cli.main import run

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

SHOP = """\
def price(flags):
    if flags.is_enabled("new_shop"):
        return 2
    return 1
"""
DEFINITION = """\
name: new_shop
type: ops
default_enabled: false
group: group::shop
rollout_issue_url: https://git.example/shop/app/-/issues/7
milestone: '15.10'
"""
SETTINGS = """\
main_branch: {branch}
forges:
  ours:
    kind: {kind}
    url: {url}
    project: shop/app
    token_env: FORGE_TOKEN
commands:
  test:
    run: [{python}, -c, "{program}"]
"""
PASSES = "import app.shop; assert app.shop.price(None) == 2; print('all fine')"


class Forge:
    """Keeps merge requests as both forges answer for them."""

    def __init__(self):
        self.requests = {}
        self.said = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else {}
                outer.said.append((self.command, self.path, dict(self.headers), body))
                answer = json.dumps(outer.answer(self.command, self.path, body)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PUT = do_PATCH = _answer  # noqa: N815

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, method, path, body):
        if path.endswith("/labels"):
            return []
        if method == "GET":
            asked = parse_qs(urlsplit(path).query)
            branch = (asked.get("source_branch") or asked["head"])[0].rpartition(":")[2]
            return [each for each in self.requests.values() if each["branch"] == branch]
        branch = body.get("source_branch") or body.get("head")
        if method == "POST":
            number = len(self.requests) + 1
            address = f"{self.url}/shop/app/requests/{number}"
            known = {"iid": number, "number": number, "web_url": address, "html_url": address}
            self.requests[number] = known | {"branch": branch}
        number = int(path.rpartition("/")[2]) if method != "POST" else len(self.requests)
        self.requests[number] |= body
        return self.requests[number]


@pytest.fixture
def forge():
    made = Forge()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def opened(git_sandbox, forge, tmp_path, monkeypatch):
    """Return how to ask for a request in a repository whose origin is a bare one."""
    monkeypatch.setenv("FORGE_TOKEN", "secret")
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)

    def ask(*words, kind="gitlab", program=PASSES):
        branch = git_sandbox.git("branch", "--show-current")
        settings = SETTINGS.format(
            branch=branch, kind=kind, url=forge.url, python=sys.executable, program=program
        )
        git_sandbox.commit(
            "everything",
            **{
                "app/shop.py": SHOP,
                "app/__init__.py": "",
                "app/page.vue": 'if (flag("new_shop")) shop();\n',
                "config/feature_flags/ops/new_shop.yml": DEFINITION,
                "flagstaff.yml": settings,
            },
        )
        if not git_sandbox.git("remote"):
            git_sandbox.git("remote", "add", "origin", str(remote))
        return again(*words)

    def again(*words):
        root = str(git_sandbox.root)
        return run(["cleanup", "new_shop", "--project", root, "--open-request", *words])

    ask.remote, ask.again = remote, again
    return ask


def branches(remote):
    listed = ["git", "-C", str(remote), "branch", "--format=%(refname:short)"]
    return subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split()


@pytest.mark.parametrize("kind", ["gitlab", "github"])
def test_a_request_tells_owner_tests_and_what_is_left(opened, forge, kind, capsys):
    assert opened(kind=kind) == 0
    assert f"{forge.url}/shop/app/requests/1" in capsys.readouterr().out
    assert branches(opened.remote) == ["cleanup/new_shop"]
    made = forge.requests[1]
    text = made.get("description") or made.get("body")
    for told in ("group::shop", "issues/7", "ended with 0", "all fine", "app/page.vue:1", "- [ ]"):
        assert told in text
    headers = forge.said[0][2]
    assert "secret" in (headers.get("PRIVATE-TOKEN") or headers.get("Authorization"))
    assert "group::shop" in json.dumps([body for *_, body in forge.said])


def test_a_second_time_brings_the_same_request_up_to_date(opened, forge):
    assert opened() == 0
    forge.requests[1]["title"] = "old"
    assert opened.again() == 0
    assert "labels" not in forge.said[-1][3], "it would take away those that people have given"
    assert "group::shop" in forge.said[-1][3]["add_labels"]
    assert len(forge.requests) == 1
    assert forge.requests[1]["title"] == "Remove the `new_shop` feature flag"


def test_nothing_is_pushed_when_the_tests_fail(opened, forge, capsys):
    assert opened(program="print('broken'); raise SystemExit(3)") != 0
    said = capsys.readouterr()
    assert "broken" in said.err
    assert not said.out
    assert "ended with 3" in said.err
    assert branches(opened.remote) == []
    assert not forge.said


def test_a_missing_token_is_said_before_the_tests_run(opened, forge, monkeypatch, capsys):
    monkeypatch.delenv("FORGE_TOKEN")
    assert opened() != 0
    assert "no token" in capsys.readouterr().err
    assert not forge.said


def test_a_branch_that_somebody_else_pushed_is_left_and_said(opened, forge, git_sandbox, capsys):
    assert opened() == 0
    git_sandbox.git("checkout", "-q", "-b", "theirs", "cleanup/new_shop")
    git_sandbox.commit("theirs", **{"more.txt": "more"})
    git_sandbox.git("push", "-q", "origin", "theirs:cleanup/new_shop")
    git_sandbox.git("checkout", "-q", "-")
    git_sandbox.git("branch", "-D", "cleanup/new_shop")
    capsys.readouterr()
    assert opened.again() != 0
    said = capsys.readouterr().err
    assert "! [rejected]" in said
    assert "--name" in said
    assert len(forge.requests) == 1


def test_what_a_program_says_stays_in_its_fence(opened, forge):
    assert opened(program=PASSES + "; print('~' * 7); print('/merge')") == 0
    text = forge.requests[1]["description"]
    assert re.search(r"^(~{8,})text\n[\s\S]*~{7}\n/merge\n[\s\S]*^\1$", text, re.MULTILINE)
