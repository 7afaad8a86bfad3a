"""Make GeTe frames labeled by a teacher potential: melt-quench trajectories of 64 atoms, a frame every 0.25 ps.

    python melt_quench.py --nep nep_gt_gete.txt --out frames --seed 1        one trajectory at each density
    python melt_quench.py --nep nep_gt_gete.txt --out frames --seed 11 --driver model.nvnmd

The second form lets an nvnmd model move the atoms, in a slower quench, and the teacher label what it came to: frames
that correct the model where it errs. Needs ASE and calorine. Frames go to <out>/<density>-<seed>.npz; `join.py` writes
the folders.
"""

import argparse
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from calorine.calculators import CPUNEP

STEP_FS = 2.0
# Each part: K, K, ps; then ps from frame to frame.
TEACHER = ((2500.0, 2500.0, 2.0), (1300.0, 1000.0, 4.0), (1000.0, 300.0, 9.0), (300.0, 300.0, 1.0)), 0.25
DRIVEN = ((2000.0, 2000.0, 4.0), (1300.0, 1000.0, 8.0), (1000.0, 300.0, 20.0)), 1.0


def random_packing(density, rng, closest=2.3):
    """32 Ge and 32 Te at least `closest` apart, in a cube."""
    side = (64 / density) ** (1 / 3)
    placed = np.empty((0, 3))
    while len(placed) < 64:
        trial = rng.random(3) * side
        gap = placed - trial
        gap -= side * np.round(gap / side)
        if not len(placed) or np.linalg.norm(gap, axis=1).min() > closest:
            placed = np.vstack([placed, trial])
    return Atoms(rng.permutation(["Ge"] * 32 + ["Te"] * 32), placed, cell=[side] * 3, pbc=True)


def label(atoms, nep):
    """Coordinates, force, energy, virial and cell as the teacher sees them."""
    seen = atoms.copy()
    seen.calc = CPUNEP(nep)
    virial = -seen.get_stress(voigt=False) * seen.get_volume()
    return {
        "coord": seen.get_positions(),
        "force": seen.get_forces(),
        "energy": seen.get_potential_energy(),
        "virial": virial,
        "box": seen.cell.array.copy(),
    }


def calculator(nep, driver):
    if driver is None:
        return CPUNEP(nep)
    from nvnmd.host import NvnmdCalculator

    return NvnmdCalculator(driver)


def trajectory(density, seed, nep, driver):
    rng = np.random.default_rng([seed, round(1e5 * density)])
    atoms = random_packing(density, rng)
    atoms = atoms[np.argsort(atoms.numbers, kind="stable")]
    atoms.calc = calculator(nep, driver)
    program, every = TEACHER if driver is None else DRIVEN
    MaxwellBoltzmannDistribution(atoms, temperature_K=program[0][0], rng=rng)
    md = Langevin(atoms, STEP_FS * units.fs, temperature_K=program[0][0], friction=0.01 / units.fs, rng=rng)
    rows = []
    for start, end, length in program:
        count = round(length / every)
        for k in range(count):
            temperature = start + (end - start) * (k + 0.5) / count
            md.set_temperature(temperature_K=temperature)
            md.run(round(every * 1000 / STEP_FS))
            rows.append(label(atoms, nep) | {"temperature": temperature})
    return rows


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--nep", required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--driver", help="an nvnmd model that moves the atoms")
    p.add_argument("--density", type=float, nargs="*", default=[0.0310, 0.0325, 0.0337, 0.0350, 0.0365])
    a = p.parse_args()
    for density in a.density:
        rows = trajectory(density, a.seed, a.nep, a.driver)
        np.savez(
            a.out / f"{density:.4f}-{a.seed}.npz", **{name: np.array([row[name] for row in rows]) for name in rows[0]}
        )
        print(density, a.seed, flush=True)
