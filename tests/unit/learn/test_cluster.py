"""The queue through Parsl."""

from pathlib import Path

import pytest
from test_queue import filled, morse

from nvnmd.learn.errors import LearnError, QueueError
from nvnmd.learn.labelers import LabelSettings

pytest.importorskip("parsl", reason="Parsl is not installed (pip install 'nvnmd[cluster]')")

THREADS = "from parsl.config import Config\nfrom parsl.executors import ThreadPoolExecutor\n"


def config(tmp_path: Path) -> str:
    path = tmp_path / "threads.py"
    executor = "ThreadPoolExecutor(max_threads=2)"
    path.write_text(f"{THREADS}config = Config(executors=[{executor}], run_dir={str(tmp_path / 'runs')!r})\n")
    return str(path)


def test_the_same_queue_runs_through_parsl(tmp_path: Path) -> None:
    from nvnmd.learn.cluster import run_on_cluster
    from nvnmd.learn.worker import label_job

    queue = filled(tmp_path / "queue", morse())
    from nvnmd.learn.labelers import make_labeler

    label_job(queue, "frame-2", make_labeler(queue.settings))
    written = (queue.folder / "jobs/frame-2/done.json").stat().st_mtime_ns
    seen: list[tuple[int, int]] = []
    assert run_on_cluster(queue, config(tmp_path), lambda done, jobs: seen.append((done, jobs))).labeled == 4
    assert (queue.folder / "jobs/frame-2/done.json").stat().st_mtime_ns == written
    assert seen[-1] == (4, 4)


def test_what_no_frame_survives_stops_parsl_too(tmp_path: Path) -> None:
    from nvnmd.learn.cluster import run_on_cluster

    queue = filled(tmp_path / "queue", LabelSettings(using="nothing_here:Teacher"))
    with pytest.raises(QueueError, match="nothing_here is not installed"):
        run_on_cluster(queue, config(tmp_path))
    assert queue.counts().waiting == 4


def test_a_file_without_configuration_is_named(tmp_path: Path) -> None:
    from nvnmd.learn.cluster import run_on_cluster

    queue = filled(tmp_path / "queue", morse())
    (tmp_path / "empty.py").write_text("x = 1\n")
    with pytest.raises(LearnError, match=r"empty\.py: does not set config"):
        run_on_cluster(queue, str(tmp_path / "empty.py"))
    with pytest.raises(LearnError, match="give 'local', or a Python file"):
        run_on_cluster(queue, "slurm")


@pytest.mark.slow
def test_processes_of_parsl_on_this_machine(tmp_path: Path) -> None:
    from nvnmd.learn.cluster import LOCAL, run_on_cluster

    queue = filled(tmp_path / "queue", morse(workers=2))
    assert run_on_cluster(queue, LOCAL).labeled == 4
