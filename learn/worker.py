"""A process that labels one frame of a queue after the other: python -m nvnmd.learn.worker QUEUE."""

from __future__ import annotations

import errno
import shutil
import sys
from pathlib import Path

from nvnmd.learn.errors import LabelError, LearnError, QueueError
from nvnmd.learn.labeled import check_frame
from nvnmd.learn.labelers import Labeler, make_labeler
from nvnmd.learn.queue import DONE, Queue
from nvnmd.training.system import FramesError

LEAST_JUDGED = 6
"""Finished frames before a share of failures means anything."""
STOPPED = 3
"""Exit code of a worker that ended because no frame would get a label."""


def label_job(queue: Queue, name: str, labeler: Labeler) -> bool:
    """Label one frame, unless it is finished or another process is at it; whether there was something to do.

    Raises:
        QueueError: the disk is full, too many frames failed, or the labeler cannot go on.
    """
    done = queue.folder / "jobs" / name / DONE
    if done.exists():
        return False
    with queue.claimed(name) as mine:
        if not mine or done.exists():
            return False
        _check_space(queue)
        try:
            atoms, work = queue.open_job(name)
            try:
                labels = labeler.run(atoms, work)
                check_frame(name, atoms, labels, queue.settings.check_units)
            except (LabelError, FramesError) as error:
                queue.close_job(name, None, str(error).removeprefix(f"{name}, frame 0: ").removeprefix(f"{name}: "))
            else:
                queue.close_job(name, labels)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise QueueError(_full(queue)) from None
            raise
    return True


def work(queue: Queue) -> None:
    """Label what waits, in the order of the names, until nothing does.

    Raises:
        LearnError: as `label_job`, and where the labeler cannot be made.
    """
    labeler = make_labeler(queue.settings)
    for name in queue.names():
        if label_job(queue, name, labeler):
            check_failures(queue)


def check_failures(queue: Queue) -> None:
    """Stop a queue in which most frames fail: something is wrong with all of them.

    Raises:
        QueueError: naming the most frequent reason.
    """
    finished, failures = queue.finished(), list(queue.failures().values())
    if finished >= LEAST_JUDGED and len(failures) > queue.settings.max_failed * finished:
        reason = max(failures, key=failures.count)
        raise QueueError(
            f"{queue.folder}: {len(failures)} of {finished} frames failed, most because {reason}; look at one of the "
            "work folders, change settings or structures, and give the same command with --retry-failed"
        )


def _check_space(queue: Queue) -> None:
    if shutil.disk_usage(queue.folder).free < 1e6 * queue.settings.min_free_mb:
        raise QueueError(_full(queue))


def _full(queue: Queue) -> str:
    return (
        f"{queue.folder}: no space is left on this disk; free some and give the same command again, it goes on with "
        "the next frame"
    )


def main(folder: str) -> int:
    """Work on a queue as a process of its own."""
    try:
        work(Queue(Path(folder)))
    except LearnError as error:
        sys.stderr.write(f"{error}\n")
        return STOPPED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
