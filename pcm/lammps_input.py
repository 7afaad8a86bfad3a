"""The LAMMPS input of a run: complete, commented, kept beside the results, and able to continue from a restart file.

    lmp -log none -in in.lmp                                       starts
    lmp -log none -in in.lmp -var restart restart/a.restart        continues

Every stage ends at an absolute step (`run ... upto`) and is jumped over once that step is reached, so that the same
file serves for the first start and for every continuation. A file named `stop` in the run folder ends the run at the
next multiple of ten steps with a restart file written.
"""

from __future__ import annotations

from dataclasses import dataclass

from nvnmd.pcm.protocol import MdSettings, PlannedStage

INPUT_FILE = "in.lmp"
DATA_FILE = "start.data"
LOG_FILE = "log.lammps"
STOP_FILE = "stop"
RESTART_FOLDER = "restart"
STAGE_MARK = "nvnmd stage"
SESSION_MARK = "nvnmd session"
HEAT_GUARD = "too_hot"
CLIP_GUARD = "too_many_clipped"
GUARD_EVERY = 10
"""Steps between two looks at the stop file and the temperature."""
SATURATING_STAGES = ("R", "X", "D", "H", "GRAD", "Y", "A", "B", "V", "P", "F")
"""Where words can be clipped, in the order of docs/numerics.md, section 11."""


@dataclass(frozen=True)
class PairLines:
    """How the input names the potential.

    style: arguments of `pair_style`; coeff: arguments of each `pair_coeff`; counters: names of the values that the pair
    style counts since it started (`compute pair`), the first of them their total.
    """

    style: str
    coeff: tuple[str, ...]
    counters: tuple[str, ...] = ()


def nvnmd_pair(model: str, elements: tuple[str, ...]) -> PairLines:
    """The project's own pair style on the CPU backend; `model` is the path as seen from the run folder."""
    counters = ("clipped", *(f"clipped_{stage}" for stage in SATURATING_STAGES))
    return PairLines(f"nvnmd {model} backend cpu", (f"* * {' '.join(elements)}",), counters)


def lammps_input(settings: MdSettings, pair: PairLines, elements: tuple[str, ...]) -> str:
    """Text of the input for the settings; `elements` in the order of the atom types of the data file."""
    blocks = [_header(settings), _start(), _potential(pair), _first_velocities(settings), _output(settings, pair)]
    blocks.append(_guards(settings, pair))
    blocks += [_stage(settings, stage, elements) for stage in settings.plan()]
    return "\n\n".join(blocks) + "\n"


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


def _potential(pair: PairLines) -> str:
    lines = ["# The potential.", f"pair_style {pair.style}", *(f"pair_coeff {coeff}" for coeff in pair.coeff)]
    lines += ["neighbor 1.0 bin", "neigh_modify every 10 delay 0 check yes"]
    if pair.counters:
        lines += [
            "# Words that saturation changed, since the start: all, then by stage (docs/numerics.md, section 11)."
        ]
        lines += [f"compute clipped all pair {pair.style.split()[0]}"]
    return "\n".join(lines)


def _first_velocities(settings: MdSettings) -> str:
    first_K = settings.stages[0].temperature_K
    lines = [f"timestep {settings.timestep_fs / 1000:g}"]
    if settings.start == "random":
        lines += [
            "# A random packing is let go of its worst contacts before it moves.",
            'if "${resumed} == 0" then "minimize 0.0 0.05 200 2000" "reset_timestep 0"',
        ]
    create = f"velocity all create {first_K:g} {settings.seed} mom yes rot yes dist gaussian"
    return "\n".join([*lines, f'if "${{resumed}} == 0" then "{create}"'])


def _output(settings: MdSettings, pair: PairLines) -> str:
    counters = {f"c_clipped[{k}]": name for k, name in enumerate(pair.counters, start=1)}
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
    return f"""\
{text}
variable {CLIP_GUARD} equal c_clipped[1]
fix {CLIP_GUARD} all halt {every} v_{CLIP_GUARD} > {most} error hard message yes"""


def _ensemble(settings: MdSettings, stage: PlannedStage) -> str:
    ramp, damping = f"{stage.start_K:g} {stage.end_K:g}", settings.thermostat.damping_ps
    if settings.barostat is not None:
        bar = settings.barostat
        pressure = f"iso {bar.pressure_bar:g} {bar.pressure_bar:g} {bar.damping_ps:g}"
        return f"fix ensemble all npt temp {ramp} {damping:g} {pressure}"
    if settings.thermostat.style == "nose-hoover":
        return f"fix ensemble all nvt temp {ramp} {damping:g}"
    seeded = f"{ramp} {damping:g} {settings.seed + stage.first_step + 1}"
    bath = f"langevin {seeded} zero yes" if settings.thermostat.style == "langevin" else f"temp/csvr {seeded}"
    return f"fix ensemble all nve\nfix bath all {bath}"


def _stage(settings: MdSettings, stage: PlannedStage, elements: tuple[str, ...]) -> str:
    name, end = stage.name, stage.last_step
    time_ps = (end - stage.first_step) * settings.timestep_fs / 1000
    return f"""\
# {name}: {stage.start_K:g} K to {stage.end_K:g} K in {time_ps:g} ps, steps {stage.first_step} to {end}.
label {name}
if "$(step) >= {end}" then "jump SELF {name}_done"
print "{STAGE_MARK} {name}"
{_ensemble(settings, stage)}
dump frames all custom {stage.dump_every} {stage.dump_file} id type element xu yu zu
dump_modify frames element {" ".join(elements)} sort id append ${{append}} format float %.5f
run {end} upto start {stage.first_step} stop {end}
undump frames
if "$(step) < {end}" then "write_restart {RESTART_FOLDER}/stopped.restart" "quit 0"
write_restart {RESTART_FOLDER}/stage.restart
label {name}_done"""
