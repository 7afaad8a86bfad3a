"""Working through a queue: processes of this machine, one a core."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from nvnmd.learn.errors import QueueError
from nvnmd.learn.labelers import make_labeler
from nvnmd.learn.leash import leashed
from nvnmd.learn.queue import Counts, Queue
from nvnmd.learn.worker import STOPPED

POLL_S = 0.2


def run_queue(queue: Queue, on_progress: Callable[[int, int], None] = lambda finished, jobs: None) -> Counts:
    """Label what waits with `settings.workers` processes, each with one thread.

    Ctrl-C ends the processes; what they had finished stays. A frame at which another process works, of this program
    or on another machine, is waited for.

    Args:
        queue: to work through.
        on_progress: called now and then with the finished jobs and all jobs.

    Raises:
        QueueError: the disk is full, too many frames failed, or a worker ended in another way.
        LearnError: the labeler cannot be made.
    """
    counts = queue.counts()
    while not counts.finished:
        if counts.waiting:
            _run_workers(queue, min(queue.settings.workers, counts.waiting), on_progress)
        else:
            time.sleep(5 * POLL_S)
        counts = queue.counts()
    on_progress(counts.labeled + counts.failed, counts.labeled + counts.failed)
    return counts


def _run_workers(queue: Queue, number: int, on_progress: Callable[[int, int], None]) -> None:
    make_labeler(queue.settings)  # a missing package is told before any process starts
    jobs = len(queue.names())
    with ExitStack() as stack:
        logs = [queue.folder / f"worker-{k}.log" for k in range(1, number + 1)]
        processes = [_start(queue, stack.enter_context(log.open("wb"))) for log in logs]
        try:
            while any(process.poll() is None for process in processes):
                on_progress(queue.finished(), jobs)
                if STOPPED in (process.returncode for process in processes):
                    break
                time.sleep(POLL_S)
        finally:
            for process in processes:
                if process.poll() is None:
                    process.terminate()
                    process.wait()
    for process, log in zip(processes, logs, strict=True):
        if process.returncode == STOPPED:
            raise QueueError(_last_line(log))
    for process, log in zip(processes, logs, strict=True):
        if process.returncode != 0:
            raise QueueError(
                f"a labeling process ended with exit code {process.returncode} ({_last_line(log)}); see {log}; the "
                "same command goes on"
            )


def _start(queue: Queue, log: object) -> subprocess.Popen[bytes]:
    """A worker in a session of its own, so that Ctrl-C reaches it only through this process, with which it ends."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return subprocess.Popen(
        leashed([sys.executable, "-m", "nvnmd.learn.worker", str(queue.folder)]),
        stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=threads | os.environ,  # type: ignore[call-overload]
        start_new_session=True,
    )  # fmt: skip


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
