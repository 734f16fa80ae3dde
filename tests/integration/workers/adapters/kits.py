"""How does one test drive queues of different kinds?"""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import dramatiq
import rq_jobs
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage
from rq import Callback, Queue, Retry, SimpleWorker
from rq.scheduler import RQScheduler

from flagstaff.workers.adapters.dramatiq import DramatiqAdapter
from flagstaff.workers.adapters.rq import RqAdapter
from flagstaff.workers.rename import Rename

HERE = Path(__file__).parent
OLD_QUEUE, NEW_QUEUE = "shop", "integrations"


class Flags:
    """A flag that the test turns."""

    on = False

    def is_enabled(self, name, *actors):
        assert name == "rename_notify"
        assert actors
        return self.on


class Kit:
    """Publishes and runs jobs of one kind of queue.

    A job `number` that fails does so once. What ran is in `ran`, as (name, number).
    """

    old, new = "shop.notify", "integrations.notify"

    def __init__(self, client, url):
        self.client, self.url, self.ran, self.flags = client, url, [], Flags()
        self._workers = []

    @property
    def rename(self):
        return Rename(
            flag="rename_notify",
            old=self.old,
            new=self.new,
            old_queue=OLD_QUEUE,
            new_queue=NEW_QUEUE,
        )

    def worker(self, deploy):
        """Start a worker of a deployment in a process of its own, until it is there."""
        process = subprocess.Popen(
            [sys.executable, HERE / "worker.py", self.kind, self.url, deploy],
            stdout=subprocess.PIPE,
            text=True,
        )
        self._workers.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    def close(self):
        for process in self._workers:
            process.kill()
            process.wait(30)
            process.stdout.close()


class DramatiqKit(Kit):
    kind = "dramatiq"

    def __init__(self, client, url):
        super().__init__(client, url)
        self.broker = RedisBroker(url=url)
        kit = self

        def notify(number, fails=False):  # noqa: FBT002 arguments of a job
            message = CurrentMessage.get_current_message()
            kit.ran.append((message.actor_name, number, message.queue_name))
            if fails and not message.options.get("retries"):
                raise ZeroDivisionError

        self.broker.add_middleware(CurrentMessage())
        options = {"broker": self.broker, "queue_name": OLD_QUEUE, "max_retries": 3}
        options |= {"min_backoff": 10, "max_backoff": 20}
        self.actor = dramatiq.actor(notify, actor_name=self.old, **options)
        self.adapter = DramatiqAdapter(self.broker)
        self.adapter.declare(self.rename, self.flags)

    def publish(self, number, *, fails=False, later=False, queue=""):
        message = self.actor.message_with_options(args=(number,), kwargs={"fails": fails})
        if queue:
            message = message.copy(queue_name=queue)
        self.broker.enqueue(message, delay=300 if later else None)

    def publish_unknown(self):
        """Publish a job that no worker has a body for."""
        self.broker.enqueue(self.actor.message(1).copy(actor_name="gone.notify"))

    def publish_after(self, number):
        """Publish a job of another name, which this one is to follow."""
        follower = self.actor.message(number)
        other = self.actor.message(0).copy(actor_name="other", queue_name="others")
        dramatiq.pipeline([other, follower], broker=self.broker).run()

    def break_one(self):
        self.client.hset("dramatiq:shop.msgs", "1", b"\x00")

    def work(self, wanted):
        worker = dramatiq.Worker(self.broker, worker_timeout=50, worker_threads=2)
        worker.start()
        try:
            _until(lambda: len(self.ran) >= wanted)
            for queue in (OLD_QUEUE, NEW_QUEUE):
                self.broker.join(queue, timeout=30_000)
            worker.join()
        finally:
            worker.stop()

    def run_unknown(self):
        worker = dramatiq.Worker(self.broker, worker_timeout=50, worker_threads=2)
        worker.start()
        _until(lambda: self.client.zcard("dramatiq:shop.XQ"))
        worker.stop()

    def close(self):
        super().close()
        self.broker.close()
        self.broker.client.connection_pool.disconnect()


class RqKit(Kit):
    kind = "rq"
    old, new = "rq_jobs_before.notify", "rq_jobs.notify"

    def __init__(self, client, url):
        super().__init__(client, url)
        rq_jobs.RAN = self.ran
        self.jobs = rq_jobs
        self.adapter = RqAdapter(client)
        self.adapter.declare(self.rename, self.flags)
        self.queue = Queue(OLD_QUEUE, connection=client)

    def publish(self, number, *, fails=False, later=False, queue=""):
        options = {"args": (number,), "kwargs": {"fails": fails}, "retry": Retry(max=3)}
        where = Queue(queue, connection=self.client) if queue else self.queue
        if later:
            where.enqueue_in(timedelta(milliseconds=300), self.jobs.notify, **options)
        else:
            where.enqueue(self.jobs.notify, **options)

    def publish_unknown(self):
        self.queue.enqueue("gone.notify", 1)

    def publish_after(self, number):
        del number
        self.queue.enqueue("other.notify", on_success=Callback(self.old))

    def break_one(self):
        self.client.hset("rq:job:1", mapping={"status": "queued", "data": b"\x00"})

    def work(self, wanted):
        def worked():
            queues = [
                Queue(each, connection=self.client) for each in (OLD_QUEUE, NEW_QUEUE, "other")
            ]
            scheduler = RQScheduler(queues, connection=self.client)
            scheduler.acquire_locks()
            scheduler.enqueue_scheduled_jobs()
            scheduler.release_locks()
            scheduler.connection.connection_pool.disconnect()
            SimpleWorker(queues, connection=self.client).work(burst=True, logging_level="ERROR")
            return len(self.ran) >= wanted

        _until(worked)

    def run_unknown(self):
        SimpleWorker([self.queue], connection=self.client).work(
            burst=True, logging_level="CRITICAL"
        )


def _until(holds, within=60):
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


KITS = {"dramatiq": DramatiqKit, "rq": RqKit}
