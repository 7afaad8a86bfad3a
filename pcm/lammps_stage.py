"""The part of the LAMMPS input that runs one stage: what moves, at which temperature, heated or drained how."""

from __future__ import annotations

from nvnmd.pcm.lammps_heat import drain_lines, heat_lines
from nvnmd.pcm.marks import EARLY_MARK, GUARD_EVERY, RESTART_FOLDER, STAGE_MARK
from nvnmd.pcm.protocol import MdSettings
from nvnmd.pcm.stage import PlannedStage, Stage
from nvnmd.pcm.start import Prepared

Names = tuple[str, ...]


def frozen_of(stage: Stage, prepared: Prepared | None) -> Names:
    """Regions that stand still in a stage: the run's, less those it thaws, and its own."""
    always = prepared.frozen if prepared else ()
    return tuple(sorted({*always, *stage.frozen} - set(stage.thaw)))


def still_sets(settings: MdSettings, prepared: Prepared | None) -> list[Names]:
    """The different sets of frozen regions of a run, in order of use, without the empty one."""
    return [names for names in dict.fromkeys(frozen_of(stage, prepared) for stage in settings.stages) if names]


def moving_group(settings: MdSettings, stage: Stage, prepared: Prepared | None) -> str:
    """LAMMPS group of the atoms that move in a stage."""
    names = frozen_of(stage, prepared)
    return f"moving_{still_sets(settings, prepared).index(names)}" if names else "all"


def stage_text(
    settings: MdSettings, planned: PlannedStage, elements: Names, prepared: Prepared | None, before: Names
) -> str:
    """Lines of a stage; `before`: what stood still in the stage before it."""
    stage, name, end = planned.settings, planned.name, planned.last_step
    group = moving_group(settings, stage, prepared)
    fixes, undo = _ensemble(settings, planned, group)
    for lines, more in (heat_lines(settings, planned, group, prepared), drain_lines(stage, group), _extras(planned)):
        fixes, undo = fixes + lines, undo + more
    time_ps = (end - planned.first_step) * settings.timestep_fs / 1000
    kept = ["xu yu zu vx vy vz"] if stage.velocities else ["xu yu zu"]
    columns = " ".join(["id type element", *kept])
    rule = "keeps its energy" if stage.ensemble == "nve" else f"{planned.start_K:g} K to {planned.end_K:g} K"
    return "\n".join(
        [
            f"# {name}: {rule}, {time_ps:g} ps, steps {planned.first_step} to {end}.",
            f"label {name}",
            f'if "$(step) >= {end}" then "jump SELF {name}_done"',
            f'print "{STAGE_MARK} {name}"',
            *_thaw(settings, planned, prepared, before),
            *fixes,
            f"dump frames all custom {planned.dump_every} {planned.dump_file} {columns}",
            f"dump_modify frames element {' '.join(elements)} sort id append ${{append}} format float %.5f",
            f"run {end} upto start {planned.first_step} stop {end}",
            "undump frames",
            *_early(planned),
            f'if "$(step) < {end}" then "write_restart {RESTART_FOLDER}/stopped.restart" "quit 0"',
            *undo,
            f"write_restart {RESTART_FOLDER}/stage.restart",
            f"label {name}_done",
        ]
    )


def _ensemble(settings: MdSettings, planned: PlannedStage, group: str) -> tuple[list[str], list[str]]:
    """Fixes that integrate and keep the temperature, and the lines that take them back."""
    stage, ensemble = planned.settings, settings.ensemble(planned.settings)
    bath = stage.thermostat or settings.thermostat
    ramp = f"{planned.start_K:g} {planned.end_K:g}"
    if ensemble == "npt":
        bar = stage.barostat or settings.barostat
        assert bar is not None  # the settings were checked for it
        pressure = f"{bar.axes} {bar.pressure_bar:g} {bar.pressure_bar:g} {bar.damping_ps:g}"
        return [f"fix ensemble {group} npt temp {ramp} {bath.damping_ps:g} {pressure}"], ["unfix ensemble"]
    if ensemble == "nve":
        return [f"fix ensemble {group} nve"], ["unfix ensemble"]
    if bath.style == "nose-hoover":
        return [f"fix ensemble {group} nvt temp {ramp} {bath.damping_ps:g}"], ["unfix ensemble"]
    seeded = f"{ramp} {bath.damping_ps:g} {settings.seed + planned.first_step + 1}"
    fix = f"langevin {seeded} zero yes" if bath.style == "langevin" else f"temp/csvr {seeded}"
    return [f"fix ensemble {group} nve", f"fix bath {group} {fix}"], ["unfix bath", "unfix ensemble"]


def _thaw(settings: MdSettings, planned: PlannedStage, prepared: Prepared | None, before: Names) -> list[str]:
    """Stop what stands still from now on, set what stood still in motion, and take the temperature of what moves."""
    if prepared is None:
        return []
    sets, now = still_sets(settings, prepared), frozen_of(planned.settings, prepared)
    if not sets:
        return []
    lines = [f"thermo_modify temp {f'temp_{sets.index(now)}' if now else 'thermo_temp'}"]
    if now != before:
        commands = []
        if before:
            # Only what was still is given velocities; the rest keeps its own.
            woken = f"subtract still_{sets.index(before)} still_{sets.index(now)}" if now else ""
            woken = woken or f"union still_{sets.index(before)}"
            seed = settings.seed + planned.first_step + 7
            commands += ["group woken clear", f"group woken {woken}"]
            commands += [f"velocity woken create {planned.start_K:g} {seed} mom no rot no dist gaussian"]
        commands += [f"velocity still_{sets.index(now)} set 0 0 0"] if now else []
        quoted = " ".join(f'"{command}"' for command in commands)
        lines += ["group woken empty", f'if "$(step) == {planned.first_step}" then {quoted}']
    return lines


def _extras(planned: PlannedStage) -> tuple[list[str], list[str]]:
    """The stress for a viscosity, and the condition that ends the stage."""
    stage, lines, undo = planned.settings, [], []
    if stage.stress_every_steps is not None:
        every, keys = stage.stress_every_steps, ("pxy", "pxz", "pyz", "temp", "vol")
        lines += [f"variable stress_{key} equal {key}" for key in keys]
        values = " ".join(f"v_stress_{key}" for key in keys)
        # `append` keeps the file of an interrupted stage.
        lines += [f"fix stress all ave/time {every} 1 {every} {values} append {planned.name}.stress format ' %.8g'"]
        undo += ["unfix stress"]
    if stage.until is not None:
        lines += [f'variable until_{planned.name.replace("-", "_")} equal "{stage.until.condition()}"']
        halt = f"v_until_{planned.name.replace('-', '_')} > 0.5 error continue message no"
        lines += [f"fix until all halt {GUARD_EVERY} {halt}"]
        undo += ["unfix until"]
    return lines, undo


def _early(planned: PlannedStage) -> list[str]:
    """A stage that its condition ended counts as done: the clock goes on at its planned end."""
    if planned.settings.until is None:
        return []
    end = planned.last_step
    done = f'"print \'{EARLY_MARK} {planned.name} $(step)\'" "reset_timestep {end}"'
    return [f'if "$(step) < {end} && ${{stop_asked}} == 0" then {done}']
