"""Make the GeTe configurations of the first round by MD with the NEP_GT potential (needs ase and calorine).

Every trajectory starts on its own (random packing or a built crystal) and belongs to one class, which becomes
one folder of the data set, so a split by folder or by `traj` never separates frames of one trajectory.
The potential only explores: nothing of it enters the labels.

    python explore.py --nep nep_gt_gete.txt --out queue [--only hot-liquid] [--list]
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.geometry import find_mic
from ase.io import write
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import thermalize_momenta

N = 64  # 32 Ge + 32 Te
SYMBOLS = ["Ge"] * (N // 2) + ["Te"] * (N // 2)


def cell_of(rho, shape=(1, 1, 1), shear=(0, 0, 0)):
    """Cell of N atoms at `rho` atoms/A^3: edge ratios `shape`, then shear strains (xy, xz, yz)."""
    cell = np.diag(np.asarray(shape, float)) @ np.array([[1, 0, 0], [shear[0], 1, 0], [shear[1], shear[2], 1]])
    return cell * (N / rho / np.linalg.det(cell)) ** (1 / 3)


def random_packing(cell, rng, start=2.6):
    """Random positions, no pair closer than `start` (relaxed where the packing gets stuck)."""
    pos, dmin = [], start
    while len(pos) < N:
        for _ in range(2000):
            new = rng.random(3) @ cell
            if not pos or find_mic(np.array(pos) - new, cell)[1].min() > dmin:
                pos.append(new)
                break
        else:
            dmin -= 0.05
    return Atoms(SYMBOLS, positions=np.array(pos)[rng.permutation(N)], cell=cell, pbc=True)


def crystal(rng, a=6.0, strain=((0, 0, 0), (0, 0, 0)), swaps=0, frenkel=0):
    """2x2x2 cubic GeTe with the 111 Peierls shift; (normal, shear) strain; anti-site pairs; Frenkel atoms."""
    ge, te = [], []
    for i, j, k in np.ndindex(4, 4, 4):
        (te if (i + j + k) % 2 else ge).append((i, j, k))
    frac = np.array(ge + te, float) / 4
    frac[: N // 2] += 0.018 / 2
    (xx, yy, zz), (xy, xz, yz) = strain
    cell = 2 * a * (np.eye(3) + np.array([[xx, 0, 0], [xy, yy, 0], [xz, yz, zz]]))
    for _ in range(swaps):
        g, t = rng.integers(N // 2), N // 2 + rng.integers(N // 2)
        frac[[g, t]] = frac[[t, g]]
    for _ in range(frenkel):  # one atom from its site to the centre of a small cube elsewhere
        frac[rng.integers(N)] = (rng.integers(0, 4, 3) + 0.5) / 4
    return Atoms(SYMBOLS, positions=frac @ cell, cell=cell, pbc=True)


def md(atoms, temperature, ps, rng, to=None, dt=2.0):
    """Langevin NVT; a ramp to temperature `to` where given."""
    dyn = Langevin(atoms, dt * units.fs, temperature_K=temperature, friction=0.01 / units.fs, rng=rng)
    blocks = max(1, int(ps * 1000 / dt / 50))
    for i in range(blocks):
        if to is not None:
            dyn.set_temperature(temperature_K=temperature + (to - temperature) * (i + 1) / blocks)
        dyn.run(50)


def push_pair(atoms, species, distance, rng):
    """Move the nearest pair of the two species along its axis to `distance`."""
    best = None
    for i in range(N):
        for j in range(i + 1, N):
            if sorted((atoms.symbols[i], atoms.symbols[j])) == sorted(species):
                d = atoms.get_distance(i, j, mic=True)
                if best is None or d < best[0]:
                    best = (d, i, j)
    atoms.set_distance(best[1], best[2], distance, fix=0.5, mic=True)


# A step of a schedule: (temperature, ps, keep) or ((from, to), ps, keep). `keep` is True for a frame of the set.
MELT = (2500, 3.0, False)
GLASS = [MELT, (1500, 2.0, False), ((1200, 300), 10.0, False)]


def plan():
    """All trajectories: (class, id, start, schedule, extra)."""
    out = []

    def liquid(group, tag, steps, **cell):
        out.append((group, f"{group}-{tag}", ("packing", cell), steps, None))

    def solid(group, tag, steps, **how):
        out.append((group, f"{group}-{tag}", ("crystal", how), steps, None))

    for rho in (0.0325, 0.0335, 0.0345):
        liquid("hot-liquid", f"{rho}", [(2500, 3.0, rho != 0.0335), (2000, 1.6, True), (1500, 1.6, True)], rho=rho)
    liquid("hot-liquid", "ortho", [MELT, (2000, 1.6, True), (1600, 1.6, True)], rho=0.034, shape=(1.08, 1.0, 0.93))
    liquid("hot-liquid", "shear", [MELT, (1800, 1.6, True), (1500, 1.6, True)], rho=0.033, shear=(0.08, -0.05, 0.04))
    for rho in (0.036, 0.037, 0.038):
        liquid("compressed", f"{rho}", [MELT, (2000, 1.6, True), (1200, 2.0, True)], rho=rho)
    liquid("compressed", "0.037-glass", [*GLASS, (300, 1.0, True)], rho=0.037)
    liquid(
        "compressed",
        "0.038-ortho",
        [MELT, (1500, 2.0, True), ((1500, 700), 5.0, True)],
        rho=0.038,
        shape=(1.06, 0.97, 0.97),
    )
    for rho in (0.030, 0.031):
        liquid("expanded", f"{rho}", [MELT, (1800, 1.6, True), ((1800, 900), 3.0, True)], rho=rho)
    for rho in (0.0335, 0.0345, 0.0355):
        liquid(
            "quench",
            f"{rho}",
            [MELT, (1300, 2.0, False), ((1300, 1000), 2.0, True), ((1000, 800), 2.0, True), ((800, 600), 2.0, True)],
            rho=rho,
        )
    for rho in (0.033, 0.0335, 0.034, 0.0345, 0.035):
        liquid("glass", f"{rho}", [*GLASS, (300, 1.0, True)], rho=rho)
    liquid("glass", "ortho", [*GLASS, (300, 1.0, True), (500, 2.0, True)], rho=0.034, shape=(1.05, 1.0, 0.95))
    solid("hot-crystal", "cubic-5.95", [(600, 2.0, True), (900, 2.0, True)], a=5.95)
    solid("hot-crystal", "cubic-6.05", [(800, 2.0, True), (1000, 2.0, True)], a=6.05)
    solid("hot-crystal", "long", [(600, 2.0, True)], a=6.0, strain=((-0.01, -0.01, 0.04), (0, 0, 0)))
    solid("hot-crystal", "short", [(700, 2.0, True)], a=6.05, strain=((0.01, 0.01, -0.04), (0, 0, 0)))
    solid("hot-crystal", "shear", [(600, 2.0, True), (900, 2.0, True)], a=6.0, strain=((0, 0, 0), (0.04, 0.03, -0.03)))
    solid("hot-crystal", "dense", [(800, 2.0, True)], a=5.85)
    solid("defect-crystal", "swap2", [(500, 2.0, True)], a=6.0, swaps=2)
    solid("defect-crystal", "swap5", [(600, 2.0, True)], a=6.02, swaps=5)
    solid("defect-crystal", "frenkel1", [(400, 2.0, True)], a=6.0, frenkel=1)
    solid("defect-crystal", "frenkel2", [(700, 2.0, True)], a=6.05, frenkel=2)
    solid("defect-crystal", "mixed", [(800, 2.0, True)], a=6.0, swaps=3, frenkel=1)
    for tag, how, pair, d in (
        ("GeTe-1.9", "liquid", ("Ge", "Te"), 1.9),
        ("GeTe-2.2", "glass", ("Ge", "Te"), 2.2),
        ("GeGe-2.0", "liquid", ("Ge", "Ge"), 2.0),
        ("TeTe-2.1", "liquid", ("Te", "Te"), 2.1),
        ("TeTe-2.3", "glass", ("Te", "Te"), 2.3),
        ("GeGe-2.2", "glass", ("Ge", "Ge"), 2.2),
    ):
        steps = [MELT, (1500, 1.0, True)] if how == "liquid" else [MELT, ((1500, 300), 4.0, True)]
        out.append(("close-pair", f"close-pair-{tag}", ("packing", {"rho": 0.034}), steps, (pair, d)))
    # Held out: trajectories of their own, over the range the melt-quench passes through.
    for rho in (0.0330, 0.0350):
        liquid(
            "validation",
            f"melt-{rho}",
            [MELT, (1900, 1.6, True), ((1900, 1100), 2.0, True), ((1100, 700), 3.0, True), ((700, 300), 5.0, True)],
            rho=rho,
        )
    liquid("validation", "glass", [*GLASS, (300, 1.0, True)], rho=0.0342)
    liquid("validation", "dense", [MELT, (1700, 2.0, True), ((1700, 800), 4.0, True)], rho=0.0365)
    solid("validation", "crystal", [(500, 2.0, True), (800, 2.0, True)], a=6.02)
    return out


def run(item, nep, out):
    from calorine.calculators import CPUNEP

    group, traj, (kind, how), schedule, push = item
    seed = int(hashlib.md5(traj.encode()).hexdigest()[:8], 16)
    rng = np.random.default_rng(seed)
    atoms = random_packing(cell_of(**how), rng) if kind == "packing" else crystal(rng, **how)
    atoms.calc = CPUNEP(str(nep))
    first = schedule[0][0]
    thermalize_momenta(atoms, first, rng=rng)
    md(atoms, first, 0.2, rng, dt=0.5)  # takes the overlaps of the packing away
    clock = 0.2
    for temperature, ps, keep in schedule:
        ramp = isinstance(temperature, tuple)
        md(atoms, temperature[0] if ramp else temperature, ps, rng, to=temperature[1] if ramp else None)
        clock += ps
        if not keep:
            continue
        end = temperature[1] if ramp else temperature
        name = f"{traj}-{end}K"
        frame = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True)
        if push:
            push_pair(frame, *push, rng)
        frame.wrap()
        frame.info = {
            "group": group,
            "traj": traj,
            "T_K": end,
            "rho": round(N / atoms.get_volume(), 5),
            "t_ps": round(clock, 2),
            "sampler": "NEP_GT",
            "reason": f"pair {'-'.join(push[0])} at {push[1]} A" if push else group,
        }
        order = hashlib.md5(name.encode()).hexdigest()[:3]  # mixes the classes in the queue
        write(out / f"r1-{order}-{name}.extxyz", frame)
        print(name, flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--nep", type=Path, help="file of the NEP potential")
    p.add_argument("--out", type=Path, default=Path("queue"), help="folder for the frames (extxyz)")
    p.add_argument("--only", help="only this class")
    p.add_argument("--list", action="store_true", help="print the plan and stop")
    a = p.parse_args()
    items = [i for i in plan() if a.only in (None, i[0])]
    items.sort(key=lambda i: hashlib.md5(i[1].encode()).hexdigest())
    if a.list:
        for group, traj, _, schedule, _ in items:
            print(group, traj, sum(s[2] for s in schedule))
        print(sum(sum(s[2] for s in i[3]) for i in items), "frames")
        return
    a.out.mkdir(parents=True, exist_ok=True)
    for item in items:
        if not list(a.out.glob(f"r1-*-{item[1]}-*K.extxyz")):
            run(item, a.nep, a.out)


if __name__ == "__main__":
    main()
