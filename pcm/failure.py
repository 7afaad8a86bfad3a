"""What a failed LAMMPS run means, in a sentence that says what to try."""

from __future__ import annotations

import math
import re
import signal
from pathlib import Path

from nvnmd.pcm.lammps_input import CLIP_ATOMS, CLIP_GUARD, GRADE_GUARD, HEAT_GUARD, LOG_FILE
from nvnmd.pcm.protocol import MdSettings
from nvnmd.pcm.runfolder import OUTPUT_FILE
from nvnmd.pcm.thermo import ThermoLog

_GENTLER = "try a shorter timestep_fs, or train on frames like these"


def explain(folder: Path, settings: MdSettings, log: ThermoLog, returncode: int) -> str:
    """One or two sentences on why the run ended, from LAMMPS's error line, the last thermo row and the exit code."""
    where = f"{folder}: in stage {log.stage or 'setup'!r} at step {log.step}"
    if log.rows and not math.isfinite(log.last("PotEng")):
        return f"{where} the potential energy became {log.last('PotEng')}; {_GENTLER}."
    line = _error_line(folder)
    if HEAT_GUARD in line:
        limit = f"{settings.temperature_limit_K():g} K (last row: {log.last('Temp'):g} K)"
        return f"{where} the temperature left the range below {limit}; {_GENTLER}."
    if CLIP_GUARD in line:
        count = f"more than {settings.max_clipped} words of the integer model were clipped for {CLIP_ATOMS:,} atoms"
        return (
            f"{where} {count}: it was not made for such atoms; quantize with frames like these, or raise max_clipped."
        )
    if GRADE_GUARD in line:
        limit = f"max_gamma ({settings.max_gamma})"
        return f"{where} the extrapolation grade of an atom rose above {limit}; train on frames like these."
    if re.search("lost atoms", line, re.IGNORECASE):
        return f"{where} LAMMPS lost atoms, so that forces were too large for the time step; {_GENTLER}."
    if "Non-numeric" in line:
        return f"{where} positions or forces are no longer numbers; {_GENTLER}."
    if "Unrecognized pair style 'nvnmd'" in line:
        return "LAMMPS did not find the plugin of pair style nvnmd; install the package again with: pip install ."
    if line:
        return f"{where} LAMMPS stopped with: {line} (see {folder / LOG_FILE})."
    if returncode < 0:
        name = signal.Signals(-returncode).name
        return f"{where} LAMMPS was ended by {name}; the same command continues from the last restart file."
    return f"{where} LAMMPS ended with exit code {returncode} and no error line; see {folder / OUTPUT_FILE}."


def _error_line(folder: Path) -> str:
    """The first error in what LAMMPS printed, without the place in its source."""
    path = folder / OUTPUT_FILE
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    found = re.search(r"^ERROR[^:\n]*: (.*)$", text, re.MULTILINE)
    return re.sub(r"\s*\(src/\S+\)$", "", found.group(1)).strip() if found else ""
