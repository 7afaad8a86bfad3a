"""The same queue on a cluster, through Parsl: every frame is a task, on whatever Parsl's configuration describes.

The queue's folder must be seen by all machines. Local processes and a cluster may work on one queue together.
"""

from __future__ import annotations

import importlib.util
import os
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nvnmd.learn.errors import LearnError, QueueError
from nvnmd.learn.queue import Counts, Queue
from nvnmd.learn.worker import check_failures

LOCAL = "local"
POLL_S = 0.2


def label_on_node(folder: str, name: str) -> str:
    """Label one frame of a queue; what Parsl calls on a node. Empty, or why no other frame would get a label."""
    from pathlib import Path

    from nvnmd.learn.errors import LearnError
    from nvnmd.learn.labelers import make_labeler
    from nvnmd.learn.queue import Queue
    from nvnmd.learn.worker import label_job

    try:
        queue = Queue(Path(folder))
        label_job(queue, name, make_labeler(queue.settings))
    except LearnError as error:
        return str(error)
    return ""


def run_on_cluster(
    queue: Queue, config: str, on_progress: Callable[[int, int], None] = lambda finished, jobs: None
) -> Counts:
    """Label what waits through Parsl.

    Args:
        queue: in a folder that all machines see.
        config: "local" for processes of this machine, or a Python file with Parsl's configuration as `config`.
        on_progress: called now and then with the finished jobs and all jobs.

    Raises:
        LearnError: Parsl is missing, or the file has no configuration.
        QueueError: as for local processes.
    """
    try:
        import parsl
        from parsl import python_app
    except ModuleNotFoundError:
        raise LearnError("Parsl is not installed; install it with: pip install 'nvnmd[cluster]'") from None
    names = [name for name in queue.names() if queue.state(name) == "waiting"]
    jobs, finished = len(queue.names()), queue.finished()
    folder = str(queue.folder.resolve())
    _find_programs()
    with parsl.load(_config(config, queue)):
        task = python_app(label_on_node)
        waiting = [task(folder, name) for name in names]
        while waiting:
            done = [future for future in waiting if future.done()]
            waiting = [future for future in waiting if not future.done()]
            for future in done:
                _check(future)
                finished += 1
            if done:
                check_failures(queue)
            on_progress(finished, jobs)
            time.sleep(POLL_S)
    return queue.counts()


def _find_programs() -> None:
    """Parsl calls its own programs by name; in an environment that is not activated PATH lacks their folder."""
    scripts, path = sysconfig.get_path("scripts"), os.environ.get("PATH", "")
    if scripts not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, path])


def _check(future: Any) -> None:
    try:
        problem = future.result()
    except Exception as error:  # of Parsl or of the node
        raise QueueError(
            f"a task of Parsl ended with {type(error).__name__}: {error}; the same command goes on with what is left"
        ) from None
    if problem:
        raise QueueError(problem)


def _config(name: str, queue: Queue) -> Any:
    if name == LOCAL:
        from parsl.config import Config
        from parsl.executors import HighThroughputExecutor
        from parsl.providers import LocalProvider

        executor = HighThroughputExecutor(
            label="local",
            address="127.0.0.1",
            max_workers_per_node=queue.settings.workers,
            provider=LocalProvider(init_blocks=1, max_blocks=1),
        )
        return Config(executors=[executor], run_dir=str(queue.folder / "parsl"))
    path = Path(name)
    spec = importlib.util.spec_from_file_location("parsl_config", path) if path.is_file() else None
    if spec is None or spec.loader is None:
        raise LearnError(f"--cluster {name}: give 'local', or a Python file that sets config = parsl.Config(...)")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "config"):
        raise LearnError(f"{name}: does not set config = parsl.Config(...)")
    return module.config
