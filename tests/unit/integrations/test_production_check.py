"""Is whoever knows about production understood, also when it is silent, slow or strange?"""

from __future__ import annotations

import http.server
import sys
import threading
import time
from datetime import timedelta

import pytest

from flagstaff.definitions import HealthCheck
from flagstaff.integrations.production_check import MOST, ProductionCheck


@pytest.fixture
def ask(tmp_path):
    def ask(*, seconds=120.0, **whom):
        settings = HealthCheck(timeout=timedelta(seconds=seconds), **whom)
        return ProductionCheck(root=tmp_path, settings=settings)()

    return ask


@pytest.fixture
def run(ask):
    return lambda code, **how: ask(command=(sys.executable, "-c", code), **how)


class TestCommand:
    def test_nought_is_a_yes(self, run):
        answer = run("print('all   well')")
        assert (answer.yes, answer.text) == (True, "all well")

    def test_anything_else_is_a_no_in_its_words(self, run):
        answer = run("import sys; sys.exit('incident 7 is open')")
        assert (answer.yes, answer.text) == (False, "incident 7 is open")
        assert run("raise SystemExit(3)").text == "it ended with 3"

    def test_it_runs_in_the_projects_root(self, run, tmp_path):
        assert run("import os; print(os.getcwd())").text == str(tmp_path)

    def test_a_long_answer_is_cut(self, run):
        assert len(run("print('x' * 5000)").text) < MOST + 5

    def test_a_missing_program_is_a_no(self, ask):
        answer = ask(command=("no-such-program",))
        assert not answer.yes
        assert answer.text == "no answer: no-such-program: No such file or directory"

    def test_one_that_hangs_is_ended_with_its_children(self, run):
        code = (
            "import subprocess, sys\n"
            "subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
        )
        begun = time.monotonic()
        answer = run(code, seconds=0.5)
        assert answer.text == "no answer: it took too long"
        assert time.monotonic() - begun < 120


@pytest.fixture
def site():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status = int(self.path.strip("/"))
            if status == 0:
                self.server.over.wait(60)
                return
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"S1: checkout is down\n")

        def log_message(self, *_):
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.over = threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.enable_socket
class TestAddress:
    def test_the_status_decides_and_the_body_says_why(self, ask, site):
        assert ask(url=f"{site}/200").yes
        answer = ask(url=f"{site}/503")
        assert (answer.yes, answer.text) == (False, "S1: checkout is down")
        assert not ask(url=f"{site}/302").yes

    def test_silence_is_a_no(self, ask, site):
        assert ask(url=f"{site}/0", seconds=0.2).text == "no answer: it took too long"
        answer = ask(url="http://127.0.0.1:1/secret")
        assert (answer.yes, answer.text) == (False, "no answer: nobody is there")
