"""Exploration by the integer model: runs in LAMMPS, relaxations, and the frames that come of them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nvnmd.learn.builders.runs import RunPlan
from nvnmd.learn.errors import LearnError
from nvnmd.training.errors import problem_text
from nvnmd.training.files import take_lock, write_json

if TYPE_CHECKING:
    from ase import Atoms

    from nvnmd.pcm.protocol import MdSettings

ORPHAN_S = 120.0
START_FILE, OUTCOME_FILE = "start.extxyz", "outcome.json"


class Interrupted(KeyboardInterrupt):
    """A run was asked to stop; the same command goes on with it."""


@dataclass(frozen=True)
class Frame:
    """A structure that exploration came to.

    Attributes:
        atoms: positions inside the cell, no calculator.
        origin: JSON values: item, number of the run, stage, step.
    """

    atoms: Atoms
    origin: dict[str, Any]


def run_plan(
    plan: RunPlan,
    model: Path,
    elements: Sequence[str],
    folder: Path,
    on_progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Run a plan in LAMMPS with an integer model, or go on with it; what became of it, which `folder` keeps.

    A run that breaks down (too hot, lost atoms, too many clipped words) is an outcome and no error: what it visited
    before is of use.

    Args:
        plan: of a builder.
        model: file of the integer model.
        elements: in the order of the atom types.
        folder: of this run.
        on_progress: called with the share of the steps done.

    Returns:
        `status` ("complete" or "failed"), `reason`, `steps` and `atoms`.

    Raises:
        Interrupted: after Ctrl-C.
        LearnError: settings that make no run.
    """
    import json

    from nvnmd.pcm.errors import PcmError
    from nvnmd.pcm.record import read_record
    from nvnmd.pcm.runner import run_md

    path = folder / OUTCOME_FILE
    if path.exists():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    settings = md_settings(plan, elements, folder)
    end_orphan(folder)
    last = settings.plan()[-1].last_step
    try:
        record = run_md(model, settings, folder, on_progress=lambda p: on_progress(p.step / last))
        reason = ""
    except PcmError as error:
        found = read_record(folder)
        if found is None or found["status"] != "failed":
            raise
        record, reason = found, str(error).removeprefix(f"{folder}: ")
    if record["status"] == "stopped":
        raise Interrupted
    outcome = {"status": record["status"], "reason": reason, "steps": record["step"], "atoms": record["atoms"]}
    write_json(path, outcome)
    return outcome


def end_orphan(folder: Path) -> None:
    """Let LAMMPS that outlived a killed program end in order, with a restart file that the run goes on from.

    Raises:
        LearnError: it does not end.
    """
    from nvnmd.pcm.marks import STOP_FILE

    end = time.monotonic() + ORPHAN_S
    with (folder / ".lock").open("a") as file:
        while True:
            if take_lock(file):
                return
            (folder / STOP_FILE).touch()
            if time.monotonic() > end:
                raise LearnError(f"{folder}: LAMMPS of an earlier start is at work here and does not end; kill it")
            time.sleep(0.2)


def md_settings(plan: RunPlan, elements: Sequence[str], folder: Path) -> MdSettings:
    """Settings of a plan's run; its first structure is written to `folder`.

    Raises:
        LearnError: naming what the settings do not allow.
    """
    from ase.io import write
    from pydantic import ValidationError

    from nvnmd.pcm.protocol import MdSettings

    folder.mkdir(parents=True, exist_ok=True)
    start = folder / START_FILE
    if not start.exists():
        temporary = folder / f".{START_FILE}"
        write(temporary, plan.start, format="extxyz")
        temporary.replace(start)
    given: dict[str, Any] = {"start": "file", "start_file": str(start.resolve()), "elements": list(elements)}
    given |= {"output": {"thermo_every": 50, "restart_every": 500}}
    try:
        return MdSettings.model_validate(given | plan.settings)
    except ValidationError as error:
        raise LearnError(problem_text(error.errors()[0])) from None


def visited(folder: Path, plan: RunPlan, elements: Sequence[str]) -> list[Frame]:
    """Every frame that a run has stored, stage by stage; a broken last one is left out, and so are NaN."""
    from ase import Atoms

    from nvnmd.pcm.trajectory import read_dump

    found = []
    for stage in md_settings(plan, elements, folder).plan():
        path = folder / stage.dump_file
        if not path.exists():
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a frame that is cut short
            for snapshot in read_dump(path):
                if snapshot.step == stage.first_step or not np.isfinite(snapshot.positions).all():
                    continue  # the first frame of a stage is the last one of the stage before
                atoms = Atoms(snapshot.symbols.tolist(), positions=snapshot.positions, cell=snapshot.cell, pbc=True)
                atoms.wrap()
                found.append(Frame(atoms, {"stage": stage.name, "step": snapshot.step}))
    return found


def relax(atoms: Atoms, model: Path, steps: int = 60, keep: int = 4, start_limit: float = 50.0) -> list[Frame]:
    """The way of a structure downhill under the integer model, in a few frames, at constant cell.

    Args:
        atoms: to begin with.
        model: file of the integer model.
        steps: of the FIRE relaxation.
        keep: frames to keep, the first and the last among them, the others evenly between.
        start_limit: eV/angstrom; a structure with a larger force is left out.

    Returns:
        Frames; none where the model cannot hold the structure.
    """
    from ase.optimize import FIRE

    from nvnmd.host import Error, NvnmdCalculator

    moving = atoms.copy()
    moving.calc = NvnmdCalculator(model, threads=1)
    path = []
    try:
        if np.abs(moving.get_forces()).max() > start_limit:
            return []
        for _ in FIRE(moving, logfile=None).irun(fmax=0.05, steps=steps):
            path.append(moving.copy())
    except Error:  # atoms came closer than the tables reach, or have too many neighbors
        pass
    chosen = sorted({round(x) for x in np.linspace(0, len(path) - 1, keep)}) if path else []
    return [Frame(_bare(path[k]), {"stage": "relax", "step": k}) for k in chosen]


def _bare(atoms: Atoms) -> Atoms:
    atoms.calc = None
    atoms.wrap()
    return atoms
