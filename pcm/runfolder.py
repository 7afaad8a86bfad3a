"""The folder of a run: what is written before LAMMPS starts, and what is found there when a run goes on."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.lammps_input import DATA_FILE, INPUT_FILE, LOG_FILE, PairLines, lammps_input
from nvnmd.pcm.launch import lammps_command
from nvnmd.pcm.marks import RESTART_FOLDER, STOP_FILE
from nvnmd.pcm.protocol import MdSettings
from nvnmd.pcm.settings import write_settings
from nvnmd.pcm.start import Prepared, prepare
from nvnmd.pcm.structures import write_data
from nvnmd.pcm.trajectory import trim_dump
from nvnmd.training.files import take_lock, write_text

RECORD_FILE = "md.json"
SETTINGS_FILE = "md.yaml"
OUTPUT_FILE = "lammps.out"
_RESTART_END = b"LammpS RestartT\0"


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold the folder for one run; yields the lock's file descriptor, for LAMMPS to inherit.

    Handed on, it also keeps a second run out while LAMMPS outlives the program that started it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("w")
    except OSError as error:
        raise PcmError(f"{folder}: cannot be written to ({error.strerror}); choose another folder with -o") from None
    with file:
        if not take_lock(file):
            raise PcmError(f"{folder}: another run is at work here; wait for it, or choose another folder")
        yield file.fileno()


def write_inputs(folder: Path, settings: MdSettings, pair: PairLines) -> Prepared:
    """Clear the folder of an earlier run and write settings, atoms and input; returns what was built."""
    elements = settings.type_elements()
    prepared = prepare(settings)
    clear(folder, settings)
    write_data(folder / DATA_FILE, prepared.atoms, elements)
    write_text(folder / INPUT_FILE, lammps_input(settings, pair, elements, prepared))
    write_text(folder / SETTINGS_FILE, write_settings(settings))
    return prepared


def clear(folder: Path, settings: MdSettings) -> None:
    """Remove what an earlier run of this program left; other files stay."""
    names = [LOG_FILE, OUTPUT_FILE, RECORD_FILE, STOP_FILE, *(stage.dump_file for stage in settings.plan())]
    names += [f"{stage.name}.stress" for stage in settings.stages]
    for path in [*(folder / name for name in names), *(folder / RESTART_FOLDER).glob("*.restart")]:
        path.unlink(missing_ok=True)


def last_restart(folder: Path) -> tuple[Path, int] | None:
    """The newest restart file that is whole, with its step; None if there is none."""
    files = sorted((folder / RESTART_FOLDER).glob("*.restart"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in files:
        if file.read_bytes().endswith(_RESTART_END):
            return file, _restart_step(file)
    return None


def _restart_step(file: Path) -> int:
    command = lammps_command(["-restart2info", file.name])
    shown = subprocess.run(command, capture_output=True, text=True, check=False, cwd=file.parent)
    found = re.search(r"Current timestep number\s*=\s*(\d+)", shown.stdout)
    if not found:
        raise PcmError(f"{file}: LAMMPS cannot read this restart file; remove it, or start anew with --overwrite")
    return int(found.group(1))


def rewind(folder: Path, settings: MdSettings, step: int) -> None:
    """Take back what was written past a step, before the run goes on from there.

    The frame at the step itself is written again, unless the step ends a stage, which is then jumped over.
    """
    for stage in settings.plan():
        path = folder / stage.dump_file
        if path.exists() and stage.last_step > step:
            if stage.first_step >= step:
                path.unlink()
            else:
                trim_dump(path, step)
