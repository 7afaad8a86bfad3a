"""A queue of frames to be labeled, as a folder: whatever is killed when, nothing is lost but the frame at hand.

    QUEUE/queue.json             the settings of the labeler
    QUEUE/jobs/NAME/frame.extxyz the structure; a job folder appears whole
    QUEUE/jobs/NAME/result.npz   energy, forces and virial
    QUEUE/jobs/NAME/done.json    the last file written: "labeled" or "failed", with what is known of the label
    QUEUE/jobs/NAME/lock         locked (flock) by the process at work, so that a dead one lets go of it

Any number of processes may work on a queue at the same time, on every machine that sees the folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nvnmd.learn.errors import LearnError
from nvnmd.learn.labeled import LabeledFrame, Labels
from nvnmd.learn.labelers.base import LabelSettings
from nvnmd.learn.labelers.calculator import structure_hash
from nvnmd.training.files import take_lock, write_json

if TYPE_CHECKING:
    from ase import Atoms

State = Literal["waiting", "running", "labeled", "failed"]
SETTINGS_FILE, FRAME, RESULT, DONE, LOCK, WORK = "queue.json", "frame.extxyz", "result.npz", "done.json", "lock", "work"


@dataclass(frozen=True)
class Counts:
    """Jobs of a queue by state, and the reasons of the failed ones."""

    waiting: int
    running: int
    labeled: int
    failed: int
    reasons: dict[str, int]

    @property
    def finished(self) -> bool:
        """Nothing waits and nothing runs."""
        return not self.waiting and not self.running

    def text(self) -> str:
        """In one line."""
        why = "; ".join(f"{n} x {reason}" for reason, n in self.reasons.items())
        return f"{self.labeled} labeled, {self.failed} failed{f' ({why})' if why else ''}, " + (
            "none left" if self.finished else f"{self.waiting} waiting, {self.running} at work"
        )


class Queue:
    """The queue in a folder.

    Args:
        folder: made if it is not there.
        settings: of the labeler; None takes those that the folder holds.

    Raises:
        LearnError: the folder holds no queue, or one whose labels come from elsewhere.
    """

    def __init__(self, folder: Path, settings: LabelSettings | None = None) -> None:
        self.folder = folder
        path = folder / SETTINGS_FILE
        kept: LabelSettings | None = None
        if path.exists():
            kept = LabelSettings.model_validate_json(path.read_text(encoding="utf-8"))
            if settings is not None and _labels(kept) != _labels(settings):
                raise LearnError(
                    f"{folder}: holds frames labeled with {kept.using}, with other settings than now; labels of two "
                    "kinds do not belong together, so choose another folder"
                )
            settings = settings or kept
        if settings is None:
            raise LearnError(f"{folder}: there is no queue of labels here ({SETTINGS_FILE} is missing)")
        self.settings = settings
        (folder / "jobs").mkdir(parents=True, exist_ok=True)
        if not path.exists() or kept != settings:
            write_json(path, settings.model_dump(mode="json"))

    def add(self, name: str, atoms: Atoms, info: dict[str, Any] | None = None) -> bool:
        """Put a structure in; whether it was not there yet. Cell and positions are kept with six decimals.

        Args:
            name: of the job; labels are in the order of the names.
            atoms: structure.
            info: JSON values that stay with the frame, such as `group` and where it was found.

        Raises:
            LearnError: a name that makes no folder, NaN, or another structure under the same name.
        """
        from ase.io import write

        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]*", name):
            raise LearnError(f"job {name!r}: names are letters, digits and _ . + -")
        if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
            raise LearnError(f"job {name}: positions or cell are not numbers; leave this frame out")
        plain = _plain(atoms)
        target = self.folder / "jobs" / name
        if target.exists():
            if structure_hash(self._atoms(name)) != structure_hash(plain):
                raise LearnError(f"{target}: holds another structure under this name; choose another queue")
            return False
        temporary = self.folder / f".{name}.new"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        write(temporary / FRAME, plain, format="extxyz")
        write_json(temporary / "info.json", info or {})
        temporary.replace(target)
        return True

    def names(self) -> list[str]:
        """Every job, sorted."""
        return sorted(path.name for path in (self.folder / "jobs").iterdir())

    def state(self, name: str) -> State:
        """State of a job."""
        done = self._done(name)
        if done is not None:
            return "labeled" if done["status"] == "labeled" else "failed"
        with self.claimed(name) as mine:
            return "waiting" if mine else "running"

    def counts(self) -> Counts:
        """All jobs by state; what has no lock waits."""
        found = Counter(self.state(name) for name in self.names())
        reasons = Counter(self.failures().values())
        states = (found["waiting"], found["running"], found["labeled"], found["failed"])
        return Counts(*states, reasons=dict(reasons.most_common()))

    def finished(self) -> int:
        """How many jobs are labeled or failed."""
        return sum((self.folder / "jobs" / name / DONE).exists() for name in self.names())

    def failures(self) -> dict[str, str]:
        """Why each failed job failed."""
        found = {name: done for name in self.names() if (done := self._done(name)) is not None}
        return {name: str(done["reason"]) for name, done in found.items() if done["status"] != "labeled"}

    def retry_failed(self) -> int:
        """Let the failed jobs wait again; their number."""
        failed = list(self.failures())
        for name in failed:
            (self.folder / "jobs" / name / DONE).unlink(missing_ok=True)
        return len(failed)

    def labeled(self) -> list[LabeledFrame]:
        """The labeled frames in the order of their names."""
        frames = []
        for name in self.names():
            done = self._done(name)
            if done is None or done["status"] != "labeled":
                continue
            with np.load(self.folder / "jobs" / name / RESULT) as arrays:
                virial = np.array(arrays["virial"]) if "virial" in arrays else None
                labels = Labels(float(arrays["energy"]), np.array(arrays["forces"]), virial, done["record"])
            group = str(done["record"].get("group", "frames"))
            frames.append(LabeledFrame(name, group, self._atoms(name), labels))
        return frames

    @contextmanager
    def claimed(self, name: str) -> Iterator[bool]:
        """Hold the lock of a job; yields whether it could be had. It is let go of even when the process is killed."""
        with (self.folder / "jobs" / name / LOCK).open("w") as file:
            yield take_lock(file)

    def open_job(self, name: str) -> tuple[Atoms, Path]:
        """The structure of a claimed job, and an empty folder to work in."""
        work = self.folder / "jobs" / name / WORK
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        return self._atoms(name), work

    def close_job(self, name: str, labels: Labels | None, reason: str = "") -> None:
        """Keep the labels of a claimed job, or the reason why it has none."""
        job = self.folder / "jobs" / name
        if labels is None:
            write_json(job / DONE, {"status": "failed", "reason": reason})
            return
        arrays: dict[str, Any] = {"energy": np.float64(labels.energy), "forces": labels.forces}
        if labels.virial is not None:
            arrays["virial"] = labels.virial
        temporary = job / f".{RESULT}"
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(job / RESULT)
        info = json.loads((job / "info.json").read_text(encoding="utf-8"))
        write_json(job / DONE, {"status": "labeled", "record": info | labels.record})

    def _atoms(self, name: str) -> Atoms:
        from ase.io import read

        atoms = read(self.folder / "jobs" / name / FRAME, format="extxyz")
        assert not isinstance(atoms, list)
        return _plain(atoms)

    def _done(self, name: str) -> dict[str, Any] | None:
        path = self.folder / "jobs" / name / DONE
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def _plain(atoms: Atoms) -> Atoms:
    from ase import Atoms as Plain

    cell, positions = np.round(atoms.cell.array, 6) + 0.0, np.round(atoms.positions, 6) + 0.0
    return Plain(atoms.get_chemical_symbols(), positions=positions, cell=cell, pbc=atoms.pbc)


def _labels(settings: LabelSettings) -> dict[str, Any]:
    """What decides the labels, without how the work is organized."""
    free = {"workers", "max_minutes", "max_failed", "min_free_mb", "check_units", "command"}
    return settings.model_dump(mode="json", exclude=free)
