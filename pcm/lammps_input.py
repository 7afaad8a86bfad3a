"""The LAMMPS input of a run: complete, commented, kept beside the results, and able to continue from a restart file.

    lmp -log none -in in.lmp                                       starts
    lmp -log none -in in.lmp -var restart restart/a.restart        continues

Every stage ends at an absolute step (`run ... upto`) and is jumped over once that step is reached, so that the same
file serves for the first start and for every continuation. A file named `stop` in the run folder ends the run at the
next multiple of ten steps with a restart file written.
"""

from __future__ import annotations

from dataclasses import dataclass

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.lammps_stage import frozen_of, stage_text, still_sets
from nvnmd.pcm.marks import GUARD_EVERY, RESTART_FOLDER, SESSION_MARK, STOP_FILE
from nvnmd.pcm.protocol import MdSettings
from nvnmd.pcm.start import Prepared

INPUT_FILE = "in.lmp"
DATA_FILE = "start.data"
LOG_FILE = "log.lammps"
HEAT_GUARD = "too_hot"
CLIP_GUARD = "too_many_clipped"
CLIP_ATOMS = 10_000  # atoms for which max_clipped words are allowed, or fewer
GRADE_GUARD = "too_far_outside"
GRADE = "largest_gamma"
"""Column of the log: the largest extrapolation grade of all atoms in that step."""
SATURATING_STAGES = ("R", "X", "D", "H", "GRAD", "Y", "A", "B", "V", "P", "F")
"""Where words can be clipped, in the order of docs/numerics.md, section 11."""


@dataclass(frozen=True)
class PairLines:
    """How the input names the potential.

    style: arguments of `pair_style`; coeff: arguments of each `pair_coeff`; counters: names of the values that the pair
    style counts since it started (`compute pair`), the first of them their total. grades: whether it also gives
    extrapolation grades, whose largest stands behind the counters.
    """

    style: str
    coeff: tuple[str, ...]
    counters: tuple[str, ...] = ()
    grades: bool = False


def nvnmd_pair(model: str, elements: tuple[str, ...], grades: bool = False) -> PairLines:
    """The project's own pair style on the CPU backend; `model` is the path as seen from the run folder.

    grades: an active set lies beside the model.
    """
    counters = ("clipped", *(f"clipped_{stage}" for stage in SATURATING_STAGES))
    return PairLines(f"nvnmd {model} backend cpu", (f"* * {' '.join(elements)}",), counters, grades)


def lammps_input(
    settings: MdSettings, pair: PairLines, elements: tuple[str, ...], prepared: Prepared | None = None
) -> str:
    """Text of the input for the settings; `elements` in the order of the atom types of the data file.

    prepared: atoms and regions, needed where a stage freezes, heats or drains something.
    """
    if settings.max_gamma is not None and not pair.grades:
        raise PcmError("max_gamma needs the model's active set beside it; write it with: nvnmd gamma MODEL")
    blocks = [_header(settings), _start(), _potential(settings, pair)]
    if prepared is not None and prepared.regions:
        blocks.append(_regions(settings, prepared))
    blocks += [_first_velocities(settings, prepared), _output(settings, pair), _guards(settings, pair)]
    before: tuple[str, ...] = frozen_of(settings.stages[0], prepared)
    for planned in settings.plan():
        blocks.append(stage_text(settings, planned, elements, prepared, before))
        before = frozen_of(planned.settings, prepared)
    return "\n\n".join(blocks) + "\n"


def _regions(settings: MdSettings, prepared: Prepared) -> str:
    """Regions, and groups of what stands still and what moves; a restart file keeps the groups' members."""
    lines = ["# Parts of the cell, and which atoms stand still in some stage."]
    lines += [f"region {name} {region.lammps()}" for name, region in prepared.regions.items()]
    used = sorted({name for names in still_sets(settings, prepared) for name in names})
    lines += [f'if "${{resumed}} == 0" then "group {name} region {name}"' for name in used]
    for number, names in enumerate(still_sets(settings, prepared)):
        lines += [f"group still_{number} union {' '.join(names)}", f"group moving_{number} subtract all still_{number}"]
        lines += [f"compute temp_{number} moving_{number} temp"]
    return "\n".join(lines)


def _header(settings: MdSettings) -> str:
    return f"""\
# {settings.material}: {" -> ".join(stage.name for stage in settings.stages)}
# Start:     lmp -log none -in {INPUT_FILE}
# Continue:  lmp -log none -in {INPUT_FILE} -var restart {RESTART_FOLDER}/FILE
# Stop:      touch {STOP_FILE}   (ends within {GUARD_EVERY} steps, with a restart file)
# Units are LAMMPS's metal units: A, ps, eV, bar, K.

variable resumed equal is_defined(variable,restart)
if "${{resumed}} == 1" then "log {LOG_FILE} append" else "log {LOG_FILE}"
if "${{resumed}} == 1" then "variable append string yes" else "variable append string no"
print "{SESSION_MARK}"
shell mkdir {RESTART_FOLDER}

units metal
atom_style atomic
boundary p p p"""


def _start() -> str:
    return f"""\
# The atoms: from the data file at first, from a restart file when the run goes on.
if "${{resumed}} == 1" then "read_restart ${{restart}}" else "read_data {DATA_FILE}\""""


def _potential(settings: MdSettings, pair: PairLines) -> str:
    lines = ["# The potential.", f"pair_style {pair.style}", *(f"pair_coeff {coeff}" for coeff in pair.coeff)]
    lines += ["neighbor 1.0 bin", "neigh_modify every 10 delay 0 check yes"]
    if pair.counters:
        lines += [
            "# Words that saturation changed, since the start: all, then by stage (docs/numerics.md, section 11)."
        ]
        lines += [f"compute clipped all pair {pair.style.split()[0]}"]
    if pair.grades:
        lines += [
            "# How far atoms are from those the model was trained on (extrapolation grades), in the steps of the log."
        ]
        lines += [f"fix grades all pair {settings.output.thermo_every} {pair.style.split()[0]} gamma 1"]
    return "\n".join(lines)


def _first_velocities(settings: MdSettings, prepared: Prepared | None) -> str:
    first_K = settings.plan()[0].start_K
    lines = [f"timestep {settings.timestep_fs / 1000:g}"]
    if settings.start == "random":
        lines += [
            "# A random packing is let go of its worst contacts before it moves.",
            'if "${resumed} == 0" then "minimize 0.0 0.05 200 2000" "reset_timestep 0"',
        ]
    still = frozen_of(settings.stages[0], prepared)
    number = still_sets(settings, prepared).index(still) if still else 0
    moving = f"moving_{number}" if still else "all"
    create = f"velocity {moving} create {first_K:g} {settings.seed} mom yes rot yes dist gaussian"
    stand = f' "velocity still_{number} set 0 0 0"' if still else ""
    return "\n".join([*lines, f'if "${{resumed}} == 0" then "{create}"{stand}'])


def _output(settings: MdSettings, pair: PairLines) -> str:
    counted = (*pair.counters, GRADE) if pair.grades else pair.counters
    counters = {f"c_clipped[{k}]": name for k, name in enumerate(counted, start=1)}
    columns = " ".join(["step", "time", "temp", "press", "pe", "ke", "etotal", "vol", *counters])
    names = "".join(f" colname {column} {name}" for column, name in counters.items())
    return f"""\
thermo {settings.output.thermo_every}
thermo_style custom {columns}
thermo_modify flush yes lost error{names}
# Two files in turn: while one is being written, the other is whole.
restart {settings.output.restart_every} {RESTART_FOLDER}/a.restart {RESTART_FOLDER}/b.restart"""


def _guards(settings: MdSettings, pair: PairLines) -> str:
    limit_K = settings.temperature_limit_K()
    text = f"""\
# Guards: the stop file ends the run in order; a temperature above the limit, or none at all, ends it with an error.
variable stop_asked equal is_file({STOP_FILE})
fix stop_asked all halt {GUARD_EVERY} v_stop_asked > 0.5 error soft message no
variable {HEAT_GUARD} equal 1-(c_thermo_temp<{limit_K:g})
fix {HEAT_GUARD} all halt {GUARD_EVERY} v_{HEAT_GUARD} > 0.5 error hard message yes"""
    if not pair.counters:
        return text
    every, most = settings.output.thermo_every, settings.max_clipped
    text = f"""\
{text}
variable {CLIP_GUARD} equal c_clipped[1]/ceil(atoms/{CLIP_ATOMS})
fix {CLIP_GUARD} all halt {every} v_{CLIP_GUARD} > {most} error hard message yes"""
    if settings.max_gamma is None:
        return text
    return f"""\
{text}
variable {GRADE_GUARD} equal c_clipped[{len(pair.counters) + 1}]
fix {GRADE_GUARD} all halt {every} v_{GRADE_GUARD} > {settings.max_gamma:g} error hard message yes"""
