"""Choose frames of the second round: the models' own melt-quench MD, where a committee of them is least sure.

Each run starts from its own random packing or crystal, is driven by one model of the committee in turn, and is sampled
every 0.1 ps. The deviation of a frame is the mean, over its eight worst atoms, of
sqrt(<|F_m - <F>|^2>) over the models m. Frames are taken one by one: the largest (deviation x distance to the nearest
frame known or taken), where the
distance is that of a fingerprint of partial pair distances and bond angles. This favors unsure and new. A third of the
frames comes from each band of temperature, because forces, and with them deviations, are largest in the hot melt.

    python choose.py --models a/model.safetensors b/model.safetensors --known .. --group active-1 --out queue
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import write
from ase.md.velocitydistribution import thermalize_momenta
from ase.neighborlist import neighbor_list
from explore import SYMBOLS, N, cell_of, crystal, md, random_packing

from nvnmd.training.ase_calculator import DeepPotCalculator

QUENCH = [(2500, 2500, 0.5), (2000, 2000, 1.0), (2000, 300, 3.0), (300, 300, 0.3)]
HEAT = [(600, 1800, 2.5), (1800, 1800, 0.5)]
STEP_PS = 0.1
SKIP_PS = 0.7  # still shaped by the packing
BANDS = (700, 1500)  # K


def runs():
    """(name, start, schedule of (from K, to K, ps))."""

    def melt(tag, **cell):
        return tag, ("packing", cell), QUENCH

    return [
        melt("rho0.0345", rho=0.0345),
        ("heat-a6.05", ("crystal", {"a": 6.05}), HEAT),
        *(melt(f"rho{rho}", rho=rho) for rho in (0.037, 0.0335, 0.038, 0.0325)),
        melt("ortho", rho=0.034, shape=(1.06, 1.0, 0.94)),
        *(melt(f"rho{rho}", rho=rho) for rho in (0.036, 0.0355, 0.031)),
    ]


def deviation(forces):
    """Mean over the eight worst atoms; forces [models, atoms, 3]."""
    each = np.sqrt(((forces - forces.mean(0)) ** 2).sum(-1).mean(0))
    return float(np.sort(each)[-8:].mean())


def fingerprint(atoms):
    """Smeared partial pair distances (2-6 A, 3 x 20 bins) and angles between near neighbors (12 bins)."""
    i, j, d = neighbor_list("ijd", atoms, 6.0)
    kind = (atoms.numbers[i] != 32).astype(int) + (atoms.numbers[j] != 32)
    grid = np.linspace(2.0, 6.0, 20)
    pairs = [np.exp(-((d[kind == k][:, None] - grid) ** 2) / 0.08).sum(0) / (N * grid**2) * 4 for k in range(3)]
    i, vec, d = neighbor_list("iDd", atoms, 3.4)
    unit = vec / d[:, None]
    cosines = np.concatenate([(unit[i == a] @ unit[i == a].T)[np.triu_indices((i == a).sum(), 1)] for a in range(N)])
    angles = np.histogram(cosines, 12, (-1, 1))[0] / N
    return np.concatenate([*pairs, 0.5 * angles])


def sample(run, calculators, driver, rng, group):
    """Frames of one run with their deviation; ends early where the driving model loses the atoms."""
    name, (kind, how), schedule = run
    atoms = random_packing(cell_of(**how), rng) if kind == "packing" else crystal(rng, **how)
    atoms.calc = calculators[driver]
    thermalize_momenta(atoms, schedule[0][0], rng=rng)
    md(atoms, schedule[0][0], 0.2, rng, dt=0.5)
    clock, out = 0.2, []
    for start, end, ps in schedule:
        blocks = round(ps / STEP_PS)
        for b in range(blocks):
            md(atoms, start + (end - start) * (b + 0.5) / blocks, STEP_PS, rng)
            clock += STEP_PS
            if clock < SKIP_PS:
                continue
            nearest = neighbor_list("d", atoms, 3.0)
            shortest = nearest.min() if len(nearest) else 3.0
            if shortest < 1.6 or np.abs(atoms.get_forces()).max() > 60 or atoms.get_temperature() > 6000:
                print(f"{name}: lost at {clock:.1f} ps, shortest pair {shortest:.2f} A", flush=True)
                return out
            frame = Atoms(SYMBOLS, positions=atoms.positions, cell=atoms.cell, pbc=True)
            frame.symbols = atoms.symbols
            forces = np.array([c.get_forces(frame) for c in calculators])
            frame.wrap()
            now = round(start + (end - start) * (b + 1) / blocks)
            frame.info = {
                "group": group,
                "traj": f"{group}-{name}",
                "T_K": now,
                "rho": round(N / atoms.get_volume(), 5),
                "t_ps": round(clock, 2),
                "sampler": f"model {driver + 1} of {len(calculators)}",
                "reason": "committee deviation x novelty",
                "committee_dev": round(deviation(forces), 4),
            }
            out.append(frame)
    dev = [f.info["committee_dev"] for f in out]
    print(f"{name}: {len(out)} frames, deviation {np.mean(dev):.3f}, largest {max(dev):.3f} eV/A", flush=True)
    return out


def known_frames(root):
    """Every frame of the data set below `root`, for the novelty."""
    out = []
    for folder in sorted(p.parent for p in root.glob("*/type.raw")):
        names = [("Ge", "Te")[int(t)] for t in (folder / "type.raw").read_text().split()]
        box, coord = (np.load(folder / "set.000" / f"{k}.npy") for k in ("box", "coord"))
        out += [
            Atoms(names, positions=x.reshape(-1, 3), cell=b.reshape(3, 3), pbc=True)
            for b, x in zip(box, coord, strict=True)
        ]
    return out


def choose(pool, known, count, per_run):
    """Indices of the chosen frames of the pool, in order; the bands of temperature take turns."""
    prints = np.array([fingerprint(f) for f in pool])
    near = np.full(len(pool), np.inf)
    for f in known:
        near = np.minimum(near, np.linalg.norm(prints - fingerprint(f), axis=1))
    dev = np.array([f.info["committee_dev"] for f in pool])
    traj = np.array([f.info["traj"] for f in pool])
    band = np.searchsorted(BANDS, [f.info["T_K"] for f in pool])
    free, chosen = np.ones(len(pool), bool), []
    while len(chosen) < count and free.any():
        turn = free & (band == len(chosen) % 3)
        best = int(np.where(turn if turn.any() else free, dev * near, -1).argmax())
        chosen.append(best)
        near = np.minimum(near, np.linalg.norm(prints - prints[best], axis=1))
        free[best] = False
        if (traj[chosen] == traj[best]).sum() >= per_run:
            free[traj == traj[best]] = False
    return chosen


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--models", type=Path, nargs="+", required=True, help="float models of different seeds")
    p.add_argument("--known", type=Path, required=True, help="data set folder, for the novelty")
    p.add_argument("--group", default="active-1", help="folder the frames will be in")
    p.add_argument("--out", type=Path, default=Path("queue"), help="folder for the frames (extxyz)")
    p.add_argument("--count", type=int, default=40, help="frames to choose")
    p.add_argument("--per-run", type=int, default=6, help="at most so many of one run")
    p.add_argument("--runs", type=int, help="only so many runs")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    calculators = [DeepPotCalculator(m) for m in a.models]
    pool = []
    for k, run in enumerate(runs()[: a.runs]):
        pool += sample(run, calculators, k % len(calculators), np.random.default_rng((a.seed, k)), a.group)
    known = known_frames(a.known)
    a.out.mkdir(parents=True, exist_ok=True)
    with (a.out / f"{a.group}-pool.csv").open("w", newline="") as handle:
        table = csv.writer(handle, lineterminator="\n")
        table.writerow(["traj", "t_ps", "T_K", "rho", "committee_dev"])
        table.writerows([f.info[k] for k in ("traj", "t_ps", "T_K", "rho", "committee_dev")] for f in pool)
    for rank, i in enumerate(choose(pool, known, a.count, a.per_run)):
        f = pool[i]
        write(a.out / f"{a.group}-{rank:03d}-{f.info['traj'].removeprefix(a.group + '-')}-{f.info['t_ps']}ps.extxyz", f)
        print(rank, {k: f.info[k] for k in ("traj", "t_ps", "T_K", "committee_dev")})


if __name__ == "__main__":
    main()
