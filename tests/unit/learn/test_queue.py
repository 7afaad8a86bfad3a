"""The queue of labels: nothing is lost, nothing is done twice, nothing bad gets through."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from toys import MORSE, importable, structure

from nvnmd.learn.errors import LearnError, QueueError
from nvnmd.learn.labelers import LabelSettings, make_labeler
from nvnmd.learn.queue import Queue
from nvnmd.learn.run_queue import run_queue
from nvnmd.learn.worker import label_job, work


def morse(**changes) -> LabelSettings:
    return LabelSettings(using="ase.calculators.morse:MorsePotential", name="morse", options=MORSE, **changes)


def filled(folder: Path, settings: LabelSettings, count: int = 4) -> Queue:
    queue = Queue(folder, settings)
    for k in range(count):
        queue.add(f"frame-{k}", structure(k), {"group": "crystal", "origin": k})
    return queue


def test_labels_are_those_of_the_calculator(tmp_path: Path) -> None:
    queue = filled(tmp_path, morse())
    work(queue)
    frames = queue.labeled()
    assert [frame.name for frame in frames] == [f"frame-{k}" for k in range(4)]
    for k, frame in enumerate(frames):
        expected = structure(k)
        expected.positions = np.round(expected.positions, 6)
        expected.calc = make_labeler(morse())._calculator  # type: ignore[attr-defined]
        assert frame.labels.energy == pytest.approx(expected.get_potential_energy(), abs=1e-9)
        np.testing.assert_allclose(frame.labels.forces, expected.get_forces(), atol=1e-9)
        np.testing.assert_allclose(
            frame.labels.virial, -expected.get_volume() * expected.get_stress(voigt=False), atol=1e-8
        )
        record = frame.labels.record
        assert record["teacher"] is True
        assert (record["code"], record["origin"], record["group"]) == ("ase", k, "crystal")
        assert len(record["input_sha256"]) == 64
    assert queue.counts().text() == "4 labeled, 0 failed, none left"


def test_adding_again_changes_nothing_and_another_structure_is_refused(tmp_path: Path) -> None:
    queue = filled(tmp_path, morse())
    assert not queue.add("frame-1", structure(1))
    assert len(queue.names()) == 4
    with pytest.raises(LearnError, match="frame-1: holds another structure"):
        queue.add("frame-1", structure(7))


def test_names_and_numbers_that_make_no_job_are_refused(tmp_path: Path) -> None:
    queue = Queue(tmp_path, morse())
    with pytest.raises(LearnError, match=r"job '\.\./x'"):
        queue.add("../x", structure())
    broken = structure()
    broken.positions[3, 1] = np.nan
    with pytest.raises(LearnError, match="job hole: positions or cell are not numbers"):
        queue.add("hole", broken)
    assert queue.names() == []


def test_labels_of_two_kinds_do_not_share_a_queue(tmp_path: Path) -> None:
    filled(tmp_path, morse())
    with pytest.raises(LearnError, match="labels of two kinds"):
        Queue(tmp_path, LabelSettings(using="ase.calculators.emt:EMT"))
    assert Queue(tmp_path, morse(workers=3)).settings.workers == 3
    assert Queue(tmp_path).settings.using == "ase.calculators.morse:MorsePotential"
    with pytest.raises(LearnError, match="no queue of labels"):
        Queue(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("raise", "RuntimeError: the self-consistent field walked away"), ("nan", "atom 2: forces is nan")],
)
def test_a_frame_without_a_usable_label_is_kept_out_and_counted(tmp_path: Path, monkeypatch, fault, reason) -> None:
    settings = LabelSettings(using=importable(monkeypatch), options={"fault": fault}, check_units=False)
    queue = filled(tmp_path, settings, 2)
    work(queue)
    assert queue.labeled() == []
    counts = queue.counts()
    assert (counts.failed, counts.waiting) == (2, 0)
    assert reason in next(iter(counts.reasons))
    assert queue.retry_failed() == 2
    assert queue.counts().waiting == 2


def test_a_queue_in_which_most_frames_fail_stops(tmp_path: Path, monkeypatch) -> None:
    queue = filled(tmp_path, LabelSettings(using=importable(monkeypatch), options={"fault": "raise"}), 9)
    with pytest.raises(QueueError, match=r"6 of 6 frames failed, most because .*walked away"):
        work(queue)
    assert queue.counts().waiting == 3


def test_a_full_disk_stops_with_a_sentence_and_loses_nothing(tmp_path: Path, monkeypatch) -> None:
    queue = filled(tmp_path, morse())
    label_job(queue, "frame-0", make_labeler(queue.settings))
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**12, 10**6))
        with pytest.raises(QueueError, match="no space is left on this disk; free some"):
            work(queue)
    written = Queue.close_job

    def full(self, name, labels, reason=""):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Queue, "close_job", full)
    with pytest.raises(QueueError, match="no space is left on this disk"):
        work(queue)
    monkeypatch.setattr(Queue, "close_job", written)
    work(queue)
    assert queue.counts().labeled == 4


def test_processes_share_the_work_and_do_nothing_twice(tmp_path: Path, monkeypatch) -> None:
    log = tmp_path / "log"
    options = {"log": str(log), "wait_s": 0.05}
    settings = LabelSettings(using=importable(monkeypatch), options=options, workers=2, check_units=False)
    queue = filled(tmp_path / "queue", settings, 6)
    seen: list[tuple[int, int]] = []
    assert run_queue(queue, lambda done, jobs: seen.append((done, jobs))).labeled == 6
    lines = [line.split() for line in log.read_text().splitlines()]
    frames = {position for _, position in lines}
    assert len(frames) == 6
    assert seen[-1] == (6, 6)


def test_after_kill_9_the_queue_goes_on_with_what_was_not_complete(tmp_path: Path, monkeypatch) -> None:
    log = tmp_path / "log"
    options = {"log": str(log), "wait_s": 0.15}
    settings = LabelSettings(using=importable(monkeypatch), options=options, check_units=False)
    queue = filled(tmp_path / "queue", settings, 6)
    code = "import sys; from pathlib import Path; from nvnmd.learn.queue import Queue; "
    code += "from nvnmd.learn.run_queue import run_queue; run_queue(Queue(Path(sys.argv[1])))"
    process = subprocess.Popen([sys.executable, "-c", code, str(queue.folder)])
    while queue.finished() < 2:
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    while any(queue.state(name) == "running" for name in queue.names()):
        time.sleep(0.02)  # the worker dies with the process that started it
    before = queue.finished()
    assert 2 <= before < 6
    done = [queue.folder / "jobs" / name / "done.json" for name in queue.names()[:before]]
    written = [path.stat().st_mtime_ns for path in done]
    assert run_queue(queue).labeled == 6
    assert [path.stat().st_mtime_ns for path in done] == written
    assert len(log.read_text().splitlines()) <= 2 * 6 + 2 * 2  # energy and stress calls; at most one frame done again


def test_a_worker_that_dies_is_reported(tmp_path: Path, monkeypatch) -> None:
    queue = filled(tmp_path, LabelSettings(using=importable(monkeypatch), options={"fault": "die"}))
    with pytest.raises(QueueError, match=r"a labeling process ended with exit code 9 .*the same command goes on"):
        run_queue(queue)
    assert queue.counts().labeled == 0
