"""Running a protocol in LAMMPS: start or continue, report progress, stop in order, explain a failure, keep a record."""

from __future__ import annotations

import math
import resource
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nvnmd.pcm import launch
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.failure import explain
from nvnmd.pcm.lammps_input import INPUT_FILE, LOG_FILE, PairLines, nvnmd_pair
from nvnmd.pcm.marks import STOP_FILE
from nvnmd.pcm.protocol import MdSettings
from nvnmd.pcm.record import earlier_record, new_record, new_session, result, write_record
from nvnmd.pcm.runfolder import OUTPUT_FILE, last_restart, locked, rewind, write_inputs
from nvnmd.pcm.thermo import LogTail
from nvnmd.pcm.voidwatch import VoidWatch

POLL_S = 0.3


@dataclass(frozen=True)
class Progress:
    """Where a run stands: the stage, its step of all steps, the temperature in K (NaN before the first row)."""

    stage: str
    step: int
    last_step: int
    temperature_K: float


def run_md(
    model: Path,
    settings: MdSettings,
    folder: Path,
    *,
    ranks: int = 1,
    overwrite: bool = False,
    pair: PairLines | None = None,
    time_limit_s: float | None = None,
    called: str = "",
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> dict[str, Any]:
    """Run the protocol with a model file, or continue an unfinished run of the same settings and model in `folder`.

    overwrite: replace a complete run, or one of other settings or another model. pair: other pair lines than the
    project's own, for tests. time_limit_s: wall time after which the run is stopped in order. called: the command that
    asked for the run, for its record. Returns the record that is also kept in `md.json`; its `status` is "complete", or
    "stopped" after Ctrl-C or the time limit. Raises PcmError for a folder that holds another run, and for a run that
    ended early.
    """
    deadline = math.inf if time_limit_s is None else time.monotonic() + time_limit_s
    if not model.is_file():
        raise PcmError(f"{model}: there is no such model file; make one with: nvnmd quantize")
    graded = model.with_suffix(".gamma").is_file()
    lines = pair or nvnmd_pair(_seen_from(folder, model), settings.type_elements(), graded)
    with locked(folder) as lock:
        record = earlier_record(folder, settings, model, overwrite)
        if record is None:
            prepared = write_inputs(folder, settings, lines)
            record = new_record(model, settings, prepared)
        elif record["status"] == "complete":
            return record
        return _run(folder, settings, record, ranks, lock, deadline, called, on_progress)


def _seen_from(folder: Path, model: Path) -> str:
    """The model's path for the input: relative inside one run folder, which can then be moved; else absolute."""
    here, there = folder.resolve(), model.resolve()
    path = Path("..") / there.relative_to(here.parent) if there.is_relative_to(here.parent) else there
    return f'"{path}"' if any(letter.isspace() for letter in str(path)) else str(path)


def _run(
    folder: Path,
    settings: MdSettings,
    record: dict[str, Any],
    ranks: int,
    lock: int,
    deadline: float,
    called: str,
    on_progress: Callable[[Progress], None],
) -> dict[str, Any]:
    arguments = ["-log", "none", "-nocite", "-in", INPUT_FILE]
    restart = last_restart(folder)
    if restart is not None:
        rewind(folder, settings, restart[1])
        arguments += ["-var", "restart", str(restart[0].relative_to(folder))]
    else:
        (folder / LOG_FILE).unlink(missing_ok=True)
    (folder / STOP_FILE).unlink(missing_ok=True)
    session = new_session(ranks, arguments, restart[1] if restart else 0, called)
    record["sessions"].append(session)
    write_record(folder, record)
    started, cpu_s = time.monotonic(), _children_cpu_s()
    process = launch.start(arguments, ranks, folder, folder / OUTPUT_FILE, lock)
    tail = LogTail(folder / LOG_FILE)
    voids = VoidWatch(folder, settings, record)
    stopped = _watch(process, tail, folder, settings, voids, deadline, on_progress)
    (folder / STOP_FILE).unlink(missing_ok=True)
    log = tail.poll()
    # On a machine that others use too, processor time says what a run costs; ranks waiting for each other are in it.
    used = round(_children_cpu_s() - cpu_s, 2) if process.returncode >= 0 else None
    session |= {"wall_s": round(time.monotonic() - started, 2), "cpu_s": used}
    finished = process.returncode == 0 and log.step >= settings.plan()[-1].last_step
    record |= result(settings, log, "complete" if finished else "stopped" if stopped else "failed")
    write_record(folder, record)
    if voids.found:
        raise PcmError(voids.found)
    if record["status"] == "failed":
        raise PcmError(explain(folder, settings, log, process.returncode))
    return record


def _children_cpu_s() -> float:
    """Processor time in s of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch(
    process: subprocess.Popen[bytes],
    tail: LogTail,
    folder: Path,
    settings: MdSettings,
    voids: VoidWatch,
    deadline: float,
    on_progress: Callable[[Progress], None],
) -> bool:
    """Follow a run to its end; True if it was asked to stop."""
    last_step = settings.plan()[-1].last_step
    stop_file = folder / STOP_FILE
    try:
        while process.poll() is None:
            log = tail.poll()
            on_progress(Progress(log.stage, log.step, last_step, log.last("Temp")))
            if log.rows and not math.isfinite(log.last("PotEng")):
                launch.kill(process)
            if voids.look(log.step):
                launch.end(process, stop_file)
            if time.monotonic() > deadline:
                launch.end(process, stop_file)
                return True
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        launch.end(process, stop_file)
        return True
    except BaseException:
        launch.kill(process)
        raise
    log = tail.poll()
    voids.look(log.step)
    on_progress(Progress(log.stage, log.step, last_step, log.last("Temp")))
    return stop_file.exists()
