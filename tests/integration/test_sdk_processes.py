"""Is a flag right in every process model, with no line of the application's own code?

Each program connects once, as an application does at import, and then asks from the processes,
threads or tasks of its model. The flag is turned on after all of them have seen it off.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import threading
from decimal import Decimal
from pathlib import Path
from time import monotonic, sleep

import pytest
from sdk_standin import TOKEN, standin

from flagstaff.flags.draw import Draw
from flagstaff.sdk.crowds import hashed

pytestmark = pytest.mark.enable_socket

PATIENCE = 60.0

CONNECT = """
import os, sys, time
import flagstaff
import flagstaff.sdk.client
flagstaff.sdk.client.CLOSE_TIMEOUT = 60
flags = flagstaff.Client.connect(application="app", flush_interval=0.2, cache=None, wait=60)

def report(text):
    os.write(1, (text + "\\n").encode())

def watch(who):
    assert flags.is_enabled("a") is False
    report(f"off {who}")
    end = time.monotonic() + 60
    while not flags.is_enabled("a"):
        assert time.monotonic() < end
        time.sleep(0.01)
    report(f"on {who}")
"""


@pytest.fixture
def server():
    with standin() as running:
        running.set(a=False)
        yield running


@pytest.fixture
def run(server, tmp_path):
    """Run a program, turn the flag on once `count` processes said "off", and wait for "on"."""
    started = []

    def running(program, *, count, command=None, marker=CONNECT):
        path = tmp_path / "program.py"
        path.write_text(marker + textwrap.dedent(program))
        environment = {
            **os.environ,
            "FLAGSTAFF_URL": server.url,
            "FLAGSTAFF_TOKEN": TOKEN,
            "FLAGSTAFF_ENVIRONMENT": "test",
            "PYTHONPATH": str(tmp_path),
        }
        with (tmp_path / "stderr").open("wb") as errors:
            process = subprocess.Popen(
                command or [sys.executable, str(path)],
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                cwd=tmp_path,
            )
        started.append(process)
        os.set_blocking(process.stdout.fileno(), False)
        lines = Lines(process, tmp_path / "stderr")
        lines.wait("off", count)
        sleep(0.3)
        server.set(a=True)
        lines.wait("on", count)

    yield running
    for process in started:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def soon(holds):
    end = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < end, "it did not come about"
        sleep(0.05)


class Lines:
    def __init__(self, process, errors):
        self.process, self.errors, self.text = process, errors, ""

    def wait(self, word, count):
        end = monotonic() + PATIENCE
        while sum(line.startswith(word + " ") for line in self.text.splitlines()) < count:
            self.text += (self.process.stdout.read() or b"").decode()
            if monotonic() > end or self.process.poll() not in {None, 0}:
                raise AssertionError(f"{self.text}\n{self.errors.read_text()[-3000:]}")
            sleep(0.01)


def test_fork(run, server):
    program = """
        children, parent = [], os.getpid()
        for number in range(2):
            pid = os.fork()
            if pid == 0:
                watch(f"child {number}")
                while os.getppid() == parent:  # it reports meanwhile
                    time.sleep(0.1)
                os._exit(0)
            children.append(pid)
        watch("parent")
        for pid in children:
            assert os.waitpid(pid, 0)[1] == 0
    """
    run(program, count=3)
    soon(lambda: len({report["instance"] for report in server.reports}) == 3)
    counts = [each for report in server.reports for each in report["exposures"]]
    assert sum(each["count"] for each in counts if each["value"]) <= 3


def test_actors_are_noted_by_the_process_that_asks_about_them(run, server):
    draw = Draw(rollout=1, salt="ab" * 16, number=5)
    server.draw("people", Decimal(50), draw)
    program = """
        def ask(first, last):
            for number in range(first, last):
                user = f"User:{number}"
                on = flags.is_enabled("people", user)
                flags.outcome("people", on, number % 5 != 0, actor=user)

        ask(0, 10)
        child = os.fork()
        if child == 0:
            ask(5, 15)
        watch("child" if child == 0 else "parent")
        time.sleep(60)
    """
    run(program, count=2)

    def said():
        seen, failed = {}, set()
        for report in server.reports:
            for each in report.get("actors", ()):
                seen.setdefault(report["instance"], set()).update(each["on"], each["off"])
                failed.update(*each["failed"]["outcomes"].values() if each["failed"] else ())
        return sorted(map(sorted, seen.values())), failed

    ids = [hashed(draw, (f"User:{number}",)) for number in range(15)]
    wanted = sorted([sorted(ids[:10]), sorted(ids[5:])]), {ids[0], ids[5], ids[10]}
    soon(lambda: said() == wanted)


def test_fork_while_other_threads_ask_and_update(run):
    program = """
        import threading
        busy = True
        def ask():
            while busy:
                flags.is_enabled("a", "User:1")
                flags.is_enabled("unknown")
                flags.readiness()
        threads = [threading.Thread(target=ask, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(20):
            pid = os.fork()
            if pid == 0:
                watch(f"child {number}")
                os._exit(0)
        time.sleep(30)
    """
    run(program, count=20)


def test_grandchildren_of_a_fork(run):
    program = """
        if os.fork() == 0:
            if os.fork() == 0:
                watch("grandchild")
            time.sleep(10)
            os._exit(0)
        time.sleep(10)
    """
    run(program, count=1)


def test_a_closed_client_stays_closed_after_a_fork(run, server):
    program = """
        other = flagstaff.Client.connect(
            application="closed", cache=None, flush_interval=0.1, wait=60
        )
        other.close()
        if os.fork() == 0:
            watch("child")
            assert other.is_enabled("a") is False
            time.sleep(10)
        time.sleep(10)
    """
    run(program, count=1)
    assert (
        len({each["instance"] for each in server.reports if each["application"] == "closed"}) == 1
    )


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(run, method):
    program = f"""
        import multiprocessing
        if __name__ == "__main__":
            context = multiprocessing.get_context("{method}")
            children = [context.Process(target=watch, args=(n,)) for n in range(2)]
            for child in children:
                child.start()
            for child in children:
                child.join()
                assert child.exitcode == 0
    """
    run(program, count=2)


def test_process_pool(run):
    program = """
        from concurrent.futures import ProcessPoolExecutor
        if __name__ == "__main__":
            with ProcessPoolExecutor(2) as pool:
                list(pool.map(watch, range(2)))
    """
    run(program, count=2)


def test_threads(run):
    program = """
        import threading
        threads = [threading.Thread(target=watch, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    """
    run(program, count=8)


ASYNC = """
        import asyncio
        async def task(number):
            with flagstaff.request_scope(str(number)) as actor:
                assert flags.is_enabled("a", actor) is False
                report(f"off {number}")
                while not flags.is_enabled("a", actor):
                    await asyncio.sleep(0.01)
                    assert flagstaff.request_actor() == actor
                report(f"on {number}")
        async def main():
            await asyncio.gather(*(task(n) for n in range(8)))
"""


def test_asyncio(run):
    run(ASYNC + "        asyncio.run(main())", count=8)


def test_uvloop(run):
    pytest.importorskip("uvloop")
    run(ASYNC + "        import uvloop\n        uvloop.run(main())", count=8)


GEVENT = "from gevent import monkey; monkey.patch_all()\n" + CONNECT


def test_gevent(run):
    pytest.importorskip("gevent")
    program = """
        import gevent
        gevent.joinall([gevent.spawn(watch, n) for n in range(8)], raise_error=True)
    """
    run(program, count=8, marker=GEVENT)


def test_gevent_and_fork(run):
    pytest.importorskip("gevent")
    program = """
        import gevent
        if os.fork() == 0:
            gevent.joinall([gevent.spawn(watch, n) for n in range(4)], raise_error=True)
            os._exit(0)
        watch("parent")
        time.sleep(20)
    """
    run(program, count=5, marker=GEVENT)


SUBINTERPRETER = """
        import _xxsubinterpreters, pathlib
        if "inside" not in globals():
            made = _xxsubinterpreters.create(isolated=ISOLATED)
            source = pathlib.Path(__file__).read_text()
            source = f"inside = True; __file__ = {__file__!r}" + chr(10) + source
            _xxsubinterpreters.run_string(made, source)
            _xxsubinterpreters.destroy(made)
            report("off at the end" if ISOLATED else "over")
        else:
            INSIDE
"""


@pytest.fixture
def _subinterpreters():
    if sys.version_info[:2] != (3, 11):
        pytest.skip("each version has another module for subinterpreters")


@pytest.mark.usefixtures("_subinterpreters")
def test_a_subinterpreter_with_threads(run):
    program = SUBINTERPRETER.replace("ISOLATED", "False")
    run(program.replace("INSIDE", 'watch("it")'), count=1)


@pytest.mark.usefixtures("_subinterpreters")
def test_a_subinterpreter_without_threads_answers_from_the_start(server, tmp_path):
    server.set(a=True)
    inside = 'assert flags.is_enabled("a"); assert "no threads" in flags.readiness().problem'
    program = SUBINTERPRETER.replace("ISOLATED", "True").replace("INSIDE", inside)
    path = tmp_path / "program.py"
    path.write_text(CONNECT + textwrap.dedent(program))
    environment = {
        **os.environ,
        "FLAGSTAFF_URL": server.url,
        "FLAGSTAFF_TOKEN": TOKEN,
        "FLAGSTAFF_ENVIRONMENT": "test",
    }
    done = subprocess.run(
        [sys.executable, str(path)], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "off at the end\n"), done.stderr


GUNICORN = """
        def app(environ, start_response):
            watch(os.getpid())
            start_response("200 OK", [])
            return [str(os.getpid()).encode()]
"""


def ask_over(path):
    end = monotonic() + PATIENCE
    while not path.exists():
        assert monotonic() < end
        sleep(0.05)
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(path))
        asking.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while asking.recv(1024):
            pass


@pytest.mark.parametrize("kind", ["sync", "gthread", "gevent"])
def test_gunicorn_with_preload(run, server, tmp_path, kind):
    pytest.importorskip("gunicorn")
    if kind == "gevent":
        pytest.importorskip("gevent")
    path = tmp_path / "gunicorn.sock"
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers=2", f"--bind=unix:{path}"]
    threads = 2 if kind == "gthread" else 1
    command += [f"--worker-class={kind}", f"--threads={threads}", "--timeout=60", "program:app"]
    for _ in range(2):
        threading.Thread(target=ask_over, args=(path,), daemon=True).start()
    run(GUNICORN, count=2, command=command)
    soon(lambda: server.reports)
    assert {report["kind"] for report in server.reports} == {"web"}


CELERY = """
        import celery
        from celery.signals import worker_ready
        app = celery.Celery("program", broker="memory://")

        @app.task
        def task(number):
            watch(f"{os.getpid()} {number}")

        @worker_ready.connect
        def send(**_):
            for number in range(2):
                task.delay(number)
"""


def test_celery_prefork(run, server):
    command = [sys.executable, "-m", "celery", "-A", "program", "worker", "--pool=prefork"]
    command += ["--concurrency=2", "--loglevel=WARNING", "--without-gossip", "--without-mingle"]
    run(CELERY, count=2, command=command)
    soon(lambda: server.reports)
    assert {report["kind"] for report in server.reports} == {"worker"}


UWSGI = CONNECT + GUNICORN.replace("        def app", "def app").replace("            ", "    ")


def test_uwsgi(run, tmp_path):
    uwsgi = Path(sys.executable).with_name("uwsgi")
    if not uwsgi.exists():
        pytest.skip("uwsgi is not installed")
    path = tmp_path / "uwsgi.sock"
    command = [str(uwsgi), "--master", "--processes=2", "--enable-threads", f"--http-socket={path}"]
    command += ["--wsgi-file=program.py", "--callable=app", "--disable-logging", "--die-on-term"]
    for _ in range(2):
        threading.Thread(target=ask_over, args=(path,), daemon=True).start()
    run("", count=2, command=command, marker=UWSGI)
