"""LAMMPS lines that add the energy of a pulse, and that drain heat to the surroundings."""

from __future__ import annotations

from nvnmd.pcm.protocol import MdSettings
from nvnmd.pcm.pulse import EV_PER_FJ, K_B_EV, KINETIC_EV
from nvnmd.pcm.stage import PlannedStage, Stage
from nvnmd.pcm.start import Prepared


def heat_lines(
    settings: MdSettings, planned: PlannedStage, group: str, prepared: Prepared | None
) -> tuple[list[str], list[str]]:
    """Fixes that add a stage's energy, and the lines that take them back."""
    heat = planned.settings.heat
    if heat is None or prepared is None:
        return [], []
    # What is really added in whole portions: the first comes at the first multiple after the stage's start.
    every = heat.every_steps
    portions = planned.last_step // every - planned.first_step // every
    rate = heat.energy_fJ * EV_PER_FJ / (portions * every * settings.timestep_fs / 1000)
    lines = [f"# {heat.energy_fJ:g} fJ are {heat.energy_fJ * EV_PER_FJ:.6g} eV, {rate:.6g} eV/ps."]
    if heat.region is not None:
        return [*lines, f"fix heat {group} heat {every} {rate:.10g} region {heat.region}"], ["unfix heat"]
    assert heat.gradient is not None  # one of the two, the settings were checked for it
    axis, undo = heat.gradient.axis, []
    shares = heat.gradient.shares(heat.gradient.high_A or prepared.high_A(axis))
    for number, (low, high, share) in enumerate(shares):
        ends = {"x": "INF INF", "y": "INF INF", "z": "INF INF"} | {axis: f"{low:.6g} {high:.6g}"}
        lines += [f"region heat_{number} block {ends['x']} {ends['y']} {ends['z']} units box"]
        lines += [f"fix heat_{number} {group} heat {every} {rate * share:.10g} region heat_{number}"]
        undo += [f"unfix heat_{number}", f"region heat_{number} delete"]
    return lines, undo


def drain_lines(stage: Stage, group: str) -> tuple[list[str], list[str]]:
    """A friction that takes kinetic energy E from atoms hotter than ambient at the rate (E - E_ambient) / time.

    F = -(m / 2 t)(1 - T_ambient / T) v, with T of the atom's cell or of the atom itself, where T > T_ambient.
    """
    drain = stage.dissipate
    if drain is None:
        return [], []
    factor = KINETIC_EV * drain.every_steps / (2 * drain.time_ps)
    undo = ["unfix drain", *(f"variable drain_{k} delete" for k in "xyz"), "variable drain_g delete"]
    if drain.by == "cell":
        size = f"{drain.cell_A:g}"
        lines = [
            f"compute cells all chunk/atom bin/3d x lower {size} y lower {size} z lower {size} units box",
            f"compute cell_temp {group} temp/chunk cells temp",
            f"compute local_temp {group} chunk/spread/atom cells c_cell_temp[1]",
            "variable drain_t atom c_local_temp",
        ]
        undo += ["variable drain_t delete", "uncompute local_temp", "uncompute cell_temp", "uncompute cells"]
    else:
        kelvin = KINETIC_EV / (3 * K_B_EV)
        lines = [f"variable drain_t atom {kelvin:.10g}*mass*(vx*vx+vy*vy+vz*vz)"]
        undo += ["variable drain_t delete"]
    ambient = f"{drain.ambient_K:g}"
    lines += [
        # Where nothing is hotter than ambient the first bracket is 0; the last one keeps T = 0 from a division.
        f'variable drain_g atom "(v_drain_t>{ambient})*{factor:.10g}*mass*(1-{ambient}/(v_drain_t+(v_drain_t<1)))"',
        *(f"variable drain_{k} atom -v_drain_g*v{k}" for k in "xyz"),
        f"fix drain {group} addforce v_drain_x v_drain_y v_drain_z every {drain.every_steps}",
    ]
    return lines, undo
