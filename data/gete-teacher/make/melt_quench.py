"""Make GeTe frames labeled by a teacher potential: melt-quench trajectories of 64 atoms, a frame every 0.25 ps.

    python melt_quench.py --nep nep_gt_gete.txt --out frames --seed 1        one trajectory at each density

Needs ASE and calorine. Frames go to <out>/<density>-<seed>.npz; `join.py` writes the folders.
"""

import argparse
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from calorine.calculators import CPUNEP

EVERY_PS, STEP_FS = 0.25, 2.0
PROGRAM = ((2500.0, 2500.0, 2.0), (1300.0, 1000.0, 4.0), (1000.0, 300.0, 9.0), (300.0, 300.0, 1.0))  # K, K, ps


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


def trajectory(density, seed, nep):
    rng = np.random.default_rng([seed, round(1e5 * density)])
    atoms = random_packing(density, rng)
    atoms = atoms[np.argsort(atoms.numbers, kind="stable")]
    atoms.calc = CPUNEP(nep)
    MaxwellBoltzmannDistribution(atoms, temperature_K=2500, rng=rng)
    md = Langevin(atoms, STEP_FS * units.fs, temperature_K=2500, friction=0.01 / units.fs, rng=rng)
    rows = []
    steps = round(EVERY_PS * 1000 / STEP_FS)
    for start, end, length in PROGRAM:
        count = round(length / EVERY_PS)
        for k in range(count):
            md.set_temperature(temperature_K=start + (end - start) * (k + 0.5) / count)
            md.run(steps)
            rows.append(
                (
                    atoms.get_positions(),
                    atoms.get_forces(),
                    atoms.get_potential_energy(),
                    -atoms.get_stress(voigt=False) * atoms.get_volume(),
                    atoms.cell.array.copy(),
                    start + (end - start) * (k + 0.5) / count,
                )
            )
    return rows


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--nep", required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--density", type=float, nargs="*", default=[0.0310, 0.0325, 0.0337, 0.0350, 0.0365])
    a = p.parse_args()
    for density in a.density:
        rows = trajectory(density, a.seed, a.nep)
        names = ("coord", "force", "energy", "virial", "box", "temperature")
        np.savez(
            a.out / f"{density:.4f}-{a.seed}.npz", **{n: np.array([r[k] for r in rows]) for k, n in enumerate(names)}
        )
        print(density, a.seed, flush=True)
