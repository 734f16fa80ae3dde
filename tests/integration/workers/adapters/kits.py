"""How does one test drive queues of different kinds?"""

from __future__ import annotations

import json
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
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry, ScheduledJobRegistry
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
        self.taken = []
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

    def length(self, queue):
        return self.client.llen(f"{self.keys}:{queue}")

    def close(self):
        for process in self._workers:
            process.kill()
            process.wait(30)
            process.stdout.close()


class DramatiqKit(Kit):
    kind = keys = "dramatiq"

    def __init__(self, client, url):
        super().__init__(client, url)
        self.broker = RedisBroker(url=url)
        self.broker.declare_queue("other")
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

    def make_due(self):
        """Let what is due later be due: it is soon, by itself."""

    def revive(self):
        """Let what is dead be tried again."""
        for each, raw in self.client.hgetall(f"dramatiq:{NEW_QUEUE}.XQ.msgs").items():
            self.client.delete(f"dramatiq:{NEW_QUEUE}.XQ", f"dramatiq:{NEW_QUEUE}.XQ.msgs")
            self.broker.do_enqueue(NEW_QUEUE, each, raw)

    def take_one(self):
        """Be a worker that has taken a job; return what gives it back."""
        consumer = self.broker.consume(OLD_QUEUE)
        message = next(consumer)
        return lambda: consumer.requeue([message])

    def take_waiting(self, most):
        """Be a worker that runs so many jobs of both queues, and note them in `taken`."""
        for queue in (OLD_QUEUE, NEW_QUEUE):
            for raw in self.broker.do_fetch(queue, most):
                self.taken.append(self._told(raw))
                self.broker.do_ack(queue, json.loads(raw)["options"]["redis_message_id"])

    def waiting(self, queue):
        ids = self.client.lrange(f"dramatiq:{queue}", 0, -1)
        raws = self.client.hmget(f"dramatiq:{queue}.msgs", ids) if ids else []
        return [self._told(raw) for raw in raws]

    def fill(self, number):
        with self.client.pipeline() as pipe:
            for each in range(number):
                options = {"redis_message_id": f"id {each}"}
                message = self.actor.message_with_options(args=(each,)).copy(options=options)
                pipe.hset(f"dramatiq:{OLD_QUEUE}.msgs", f"id {each}", message.encode())
                pipe.rpush(f"dramatiq:{OLD_QUEUE}", f"id {each}")
            pipe.execute()

    @staticmethod
    def _told(raw):
        message = json.loads(raw)
        return message["args"][0], message["actor_name"]

    def work(self, wanted):
        def worked():
            # What has run is acknowledged a little later.
            return len(self.ran) >= wanted and not any(
                self.broker.do_qsize(queue) for queue in (OLD_QUEUE, NEW_QUEUE)
            )

        self.run_until(worked)

    def run_until(self, holds):
        worker = dramatiq.Worker(self.broker, worker_timeout=50, worker_threads=2)
        worker.start()
        try:
            _until(holds)
        finally:
            worker.stop()

    def put_off(self):
        """Return how often each job that waits was put off."""
        return [
            json.loads(raw)["options"].get("flagstaff", {}).get("deferred", 0)
            for key in self.client.scan_iter("dramatiq:*.msgs")
            for raw in self.client.hvals(key)
        ]

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
    kind, keys = "rq", "rq:queue"
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
            seconds = 0.3 if later is True else later
            where.enqueue_in(timedelta(seconds=seconds), self.jobs.notify, **options)
        else:
            where.enqueue(self.jobs.notify, **options)

    def publish_unknown(self):
        self.queue.enqueue("gone.notify", 1)

    def publish_after(self, number):
        del number
        self.queue.enqueue("other.notify", on_success=Callback(self.old))

    def break_one(self):
        self.client.hset("rq:job:1", mapping={"status": "queued", "data": b"\x00"})

    def make_due(self):
        for queue in (OLD_QUEUE, NEW_QUEUE):
            key = ScheduledJobRegistry(queue, connection=self.client).key
            for each in self.client.zrange(key, 0, -1):
                self.client.zadd(key, {each: 0}, xx=True)

    def revive(self):
        failed = FailedJobRegistry(NEW_QUEUE, connection=self.client)
        for each in failed.get_job_ids():
            failed.requeue(each)

    def take_one(self):
        one = self.client.lpop(self.queue.key)
        return lambda: self.client.lpush(self.queue.key, one)

    def take_waiting(self, most):
        for queue in (OLD_QUEUE, NEW_QUEUE):
            for each in self.client.lpop(f"rq:queue:{queue}", most) or ():
                self.taken.append(self._told(each))
                self.client.delete(f"rq:job:{each.decode()}")

    def waiting(self, queue):
        return [self._told(each) for each in self.client.lrange(f"rq:queue:{queue}", 0, -1)]

    def fill(self, number):
        with self.client.pipeline() as pipe:
            for each in range(number):
                job = self.queue.create_job(self.jobs.notify, args=(each,), status=JobStatus.QUEUED)
                job.save(pipeline=pipe)
                self.queue.push_job_id(job.id, pipeline=pipe)
            pipe.sadd("rq:queues", self.queue.key)
            pipe.execute()

    def _told(self, one):
        job = Job.fetch(one.decode(), connection=self.client)
        return job.args[0], job.func_name

    def work(self, wanted):
        self.run_until(lambda: len(self.ran) >= wanted)

    def run_until(self, holds):
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
            return holds()

        _until(worked)

    def put_off(self):
        ids = [key.decode().removeprefix("rq:job:") for key in self.client.scan_iter("rq:job:*")]
        jobs = Job.fetch_many(ids, connection=self.client)
        return [each.meta.get("flagstaff", {}).get("deferred", 0) for each in jobs if each]

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
