"""Energy conservation of the integer model, beside the float model it was made from: drift of the total energy in NVE.

    python benchmarks/nve.py --float-model examples/gete-demo/run/train/model.safetensors
    python benchmarks/nve.py --atoms 216 --ps 0.5 --float-ps 0.1 --settle-ps 0.2                  a quick look

GeTe in LAMMPS with the integer model: a crystal settled for --settle-ps at each temperature with a Langevin thermostat,
then --ps of NVE with a step of 2 fs. The float model starts from the same positions and velocities in ASE's velocity
Verlet. It is two orders of magnitude slower, so it runs for --float-ps only; the integer model's drift over that same
stretch stands beside it, because a short stretch says little of a drift.

Drift is the slope of a straight line through the energy per atom, meV/atom/ns, with its standard error from ten blocks;
fluctuation is the root mean square around the line, meV/atom.

Prints a table and writes results/nve.json.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from lammps_run import CELLS, crystal, find_model, model_option, run_lammps, thermo_rows
from numpy.typing import NDArray
from records import machine, versions, write_record

STEP_PS, EVERY, BLOCKS = 0.002, 5, 10
COLUMNS = ["Step", "Temp", "TotEng", "c_clipped[1]"]
INPUT = """\
{crystal}pair_style nvnmd {model}
pair_coeff * * Ge Te
compute clipped all pair nvnmd
neighbor 1.0 bin
neigh_modify every 1 delay 0 check yes
velocity all create {kelvin} 9 mom yes
timestep {step}
fix 1 all nve
fix 2 all langevin {kelvin} {kelvin} 0.1 4711 zero yes
run {settle}
unfix 2
velocity all zero linear
reset_timestep 0
write_dump all custom start id type x y z vx vy vz modify sort id format float %.17g
thermo_style custom step temp etotal c_clipped[1]
thermo_modify norm no format float %.17g
thermo {every}
run {steps}
"""
Floats = NDArray[np.float64]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    model_option(parser)
    parser.add_argument("--float-model", type=Path, help="the float model (model.safetensors); left out if not given")
    parser.add_argument("--atoms", type=int, default=4096, choices=sorted(CELLS))
    parser.add_argument("--temperatures", type=float, nargs="+", default=[300.0, 1000.0], metavar="K")
    parser.add_argument("--ps", type=float, default=50.0)
    parser.add_argument("--settle-ps", type=float, default=5.0)
    parser.add_argument("--float-ps", type=float, default=2.0)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--note", default="", help="a remark that the record keeps")
    return parser.parse_args()


def drift(times_ps: Floats, energies_eV: Floats, atoms: int) -> dict[str, float]:
    """Slope of the energy per atom with its standard error, and the fluctuation around it."""
    meV = 1e3 * (energies_eV - energies_eV[0]) / atoms
    slope, offset = np.polyfit(times_ps, meV, 1)
    rest = meV - slope * times_ps - offset
    means = np.array([block.mean() for block in np.array_split(rest, BLOCKS)])
    centers = np.array([block.mean() for block in np.array_split(times_ps, BLOCKS)])
    spread = np.sqrt((means**2).sum() / (BLOCKS - 2) / ((centers - centers.mean()) ** 2).sum())
    return {
        "ps": float(times_ps[-1] - times_ps[0]),
        "drift_meV_atom_ns": 1e3 * float(slope),
        "error_meV_atom_ns": 1e3 * float(spread),
        "fluctuation_meV_atom": float(rest.std()),
    }


def integer_run(kelvin: float, options: argparse.Namespace, folder: Path) -> tuple[Floats, Floats, dict[str, Any]]:
    """Times (ps) and total energies (eV) of the integer model; leaves the start in folder/start."""
    text = INPUT.format(
        crystal=crystal(options.atoms), model=find_model(options.model), kelvin=kelvin, step=STEP_PS, every=EVERY,
        settle=round(options.settle_ps / STEP_PS), steps=round(options.ps / STEP_PS),
    )  # fmt: skip
    run = run_lammps(text, options.ranks, folder=folder)
    rows = thermo_rows(run.text, COLUMNS)
    times, energies = (np.array([row[name] for row in rows]) for name in ("Step", "TotEng"))
    more = {"mean_K": float(np.mean([row["Temp"] for row in rows])), "clipped": rows[-1]["c_clipped[1]"]}
    return times * STEP_PS, energies, {**more, "seconds": run.loops[-1]}


def float_run(options: argparse.Namespace, folder: Path) -> tuple[Floats, Floats, dict[str, Any]]:
    """The same from the same start with the float model."""
    import torch
    from ase import Atoms, units
    from ase.md.verlet import VelocityVerlet

    from nvnmd.training.ase_calculator import DeepPotCalculator

    torch.set_num_threads(1)
    text = (folder / "start").read_text().splitlines()
    rows = np.array([line.split() for line in text[9:]], dtype=float)
    low, high = np.array([line.split()[:2] for line in text[5:8]], dtype=float).T
    atoms = Atoms(np.where(rows[:, 1] == 1, "Ge", "Te"), rows[:, 2:5] - low, cell=np.diag(high - low), pbc=True)
    atoms.set_masses(np.where(rows[:, 1] == 1, 72.63, 127.6))
    atoms.set_velocities(rows[:, 5:8] / (1e3 * units.fs))
    atoms.calc = DeepPotCalculator(options.float_model)
    energies, begin = [], time.perf_counter()
    dynamics = VelocityVerlet(atoms, 1e3 * STEP_PS * units.fs)
    dynamics.attach(lambda: energies.append(atoms.get_total_energy()), interval=EVERY)
    dynamics.run(round(options.float_ps / STEP_PS))
    times = np.arange(len(energies)) * EVERY * STEP_PS
    return times, np.array(energies), {"seconds": time.perf_counter() - begin}


def at_temperature(kelvin: float, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Records of all runs at one temperature."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        times, energies, more = integer_run(kelvin, options, folder)
        rows = [{"name": "integer", "K": kelvin, **drift(times, energies, options.atoms), **more}]
        if options.float_model is None:
            return rows
        same = times <= options.float_ps + 1e-9
        rows.append({"name": "integer, same stretch", "K": kelvin, **drift(times[same], energies[same], options.atoms)})
        times, energies, more = float_run(options, folder)
        return [*rows, {"name": "float", "K": kelvin, **drift(times, energies, options.atoms), **more}]


def main() -> None:
    """Run, print, write."""
    options = arguments()
    find_model(options.model)
    if options.float_model is not None:
        find_model(options.float_model)
    else:
        print("left out: the float model; give --float-model", file=sys.stderr)
    try:
        rows = [row for kelvin in options.temperatures for row in at_temperature(kelvin, options)]
    except RuntimeError as problem:
        sys.exit(f"a run failed: {problem}")
    print(
        f"{options.atoms} atoms, {1e3 * STEP_PS:g} fs\n"
        f"{'model':<24}{'K':>6}{'ps':>7}{'drift':>10}{'+-':>8}{'fluct.':>9}"
    )
    for r in rows:
        print(
            f"{r['name']:<24}{r['K']:>6g}{r['ps']:>7g}{r['drift_meV_atom_ns']:>10.2f}{r['error_meV_atom_ns']:>8.2f}"
            f"{r['fluctuation_meV_atom']:>9.4f}"
        )
    common = {"machine": machine(), "versions": versions("nvnmd", "lammps", "torch"), "atoms": options.atoms}
    record = {**common, "model": options.model.name, "step_ps": STEP_PS, "note": options.note, "records": rows}
    print(f"written to {write_record('nve', record)}")


if __name__ == "__main__":
    main()
