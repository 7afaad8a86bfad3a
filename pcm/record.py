"""The record of a run, `md.json`: what ran, with which model and versions, how far, and how fast."""

from __future__ import annotations

import json
import platform
import shlex
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.lammps_input import GRADE
from nvnmd.pcm.protocol import MdSettings
from nvnmd.pcm.pulse import EV_PER_FJ
from nvnmd.pcm.runfolder import RECORD_FILE
from nvnmd.pcm.stage import PlannedStage
from nvnmd.pcm.start import Prepared
from nvnmd.pcm.thermo import COUNTER, ThermoLog, counted
from nvnmd.training.files import file_digest, write_json


def read_record(folder: Path) -> dict[str, Any] | None:
    """What `md.json` says of the run in this folder, None where there is none."""
    path = folder / RECORD_FILE
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise PcmError(f"{path}: is not valid JSON ({error}); start anew with --overwrite") from None
    return dict(record)


def earlier_record(folder: Path, settings: MdSettings, model: Path, overwrite: bool) -> dict[str, Any] | None:
    """The record of a run that is to go on or is complete; None where a new one starts."""
    record = read_record(folder)
    if record is None:
        return None
    same_settings = _same(record["settings"], settings)
    if same_settings and record["model"]["sha256"] == file_digest(model):
        return None if overwrite and record["status"] == "complete" else record
    if overwrite:
        return None
    other = "another model" if same_settings else "other settings"
    raise PcmError(f"{folder}: holds a run with {other}; choose another folder with -o, or replace it with --overwrite")


def _same(recorded: dict[str, Any], settings: MdSettings) -> bool:
    """Whether recorded settings, perhaps of a version that knew fewer keys, mean the same."""
    try:
        return MdSettings.model_validate(recorded) == settings
    except ValidationError:
        return False


def new_record(model: Path, settings: MdSettings, prepared: Prepared) -> dict[str, Any]:
    """The record of a run that is about to start."""
    return {
        "status": "running",
        "material": settings.material,
        "atoms": len(prepared.atoms),
        "cell_A": [round(float(x), 4) for x in prepared.atoms.cell.lengths()],
        "regions": {name: region.model_dump(mode="json") for name, region in prepared.regions.items()},
        "frozen": {"regions": list(prepared.frozen), "atoms": int(prepared.still().sum())},
        "model": {"file": model.name, "sha256": file_digest(model)},
        "settings": settings.model_dump(mode="json"),
        "sessions": [],
        "stages": [],
    }


def new_session(ranks: int, arguments: list[str], first_step: int, called: str = "") -> dict[str, Any]:
    """One start of LAMMPS within a run; called: the command that asked for it, if there was one."""
    return {
        **({"called": called} if called else {}),
        "first_step": first_step,
        "ranks": ranks,
        "command": shlex.join(["lmp", *arguments]),
        "versions": {name: version(name) for name in ("nvnmd", "lammps")} | {"python": platform.python_version()},
    }


def result(settings: MdSettings, log: ThermoLog, status: str) -> dict[str, Any]:
    """Status and the measured speed of every stage, from LAMMPS's own loop times."""
    stages: list[dict[str, Any]] = []
    counters = [name for name in log.columns if name.startswith(COUNTER)]
    clipped = {name: counted(log, name) for name in counters}
    for stage in settings.plan():
        loops = [loop for loop in log.loops if loop.stage == stage.name]
        wall_s, steps = sum(loop.wall_s for loop in loops), sum(loop.steps for loop in loops)
        work = sum(loop.steps * loop.atoms for loop in loops)
        stages.append(
            {
                "name": stage.name,
                "sample": stage.sample,
                "first_step": stage.first_step,
                "last_step": stage.last_step,
                "start_K": stage.start_K,
                "end_K": stage.end_K,
                "file": stage.dump_file,
                "timed_steps": steps,
                "wall_s": wall_s,
                "s_per_step_per_atom": wall_s / work if work else None,
                "heat_fJ": stage.settings.heat.energy_fJ if stage.settings.heat else None,
                "energy_change_fJ": _energy_change(log, stage),
                "ended_early": log.early.get(stage.name),
                "largest_gamma": _largest_grade(log, stage.name),
                "clipped": {name: counts.get(stage.name, 0) for name, counts in clipped.items()} or None,
            }
        )
    wall_s, steps = sum(entry["wall_s"] for entry in stages), sum(entry["timed_steps"] for entry in stages)
    work = sum(loop.steps * loop.atoms for loop in log.loops)
    total = {"timed_steps": steps, "wall_s": wall_s, "s_per_step_per_atom": wall_s / work if work else None}
    return {"status": status, "step": log.step, "stages": stages, "total": total}


def _largest_grade(log: ThermoLog, stage: str) -> float | None:
    """Largest extrapolation grade in the rows of a stage; None where the log has none."""
    if GRADE not in log.columns:
        return None
    column = log.columns.index(GRADE)
    return max((row[column] for row, name in zip(log.rows, log.stages, strict=True) if name == stage), default=None)


def _energy_change(log: ThermoLog, stage: PlannedStage) -> float | None:
    """Total energy at the end of a stage less that at its start, in fJ, from the log's rows.

    The row of a stage's last step is the first one of the stage after it.
    """
    rows = [row for row, name in zip(log.rows, log.stages, strict=True) if name == stage.name]
    rows += [row for row in log.rows if row[0] == stage.last_step and stage.name not in log.early]
    if len(rows) < 2 or "TotEng" not in log.columns:
        return None
    column = log.columns.index("TotEng")
    return (rows[-1][column] - rows[0][column]) / EV_PER_FJ


def write_record(folder: Path, record: dict[str, Any]) -> None:
    write_json(folder / RECORD_FILE, record)
