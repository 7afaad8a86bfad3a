"""A large run in LAMMPS with pair_style nvnmd: by default 1,728,000 GeTe atoms, 200 NVT steps, 2 ranks.

    python benchmarks/big.py
    python benchmarks/big.py --atoms 3888 --steps 20 --ranks 1      a quick look

A shaken rocksalt crystal at the density of the glass; 300 K by a Nose-Hoover thermostat (0.1 ps), 2 fs, skin 1 A with
LAMMPS's own check of when to rebuild lists. The last column, the energy with the thermostat's part, is conserved.
1,728,000 atoms are the letter's cell of 37 x 37 x 37 nm^3.

Prints the log as a table and writes results/big.json: time, memory and every row of the log.
"""

from __future__ import annotations

import argparse
import sys
import time

from lammps_run import CELLS, crystal, find_model, model_option, run_lammps, thermo_rows
from records import machine, versions, write_record

COLUMNS = ["Step", "Temp", "PotEng", "TotEng", "Econserve", "Press", "c_clipped[1]"]
INPUT = """\
{crystal}pair_style nvnmd {model}
pair_coeff * * Ge Te
compute clipped all pair nvnmd
neighbor 1.0 bin
neigh_modify every 1 delay 5 check yes
velocity all create {kelvin} 9
timestep 0.002
fix 1 all nvt temp {kelvin} {kelvin} 0.1
thermo_style custom step temp pe etotal econserve press c_clipped[1]
thermo_modify norm no format float %.12g
thermo {every}
run {steps}
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    model_option(parser)
    parser.add_argument("--atoms", type=int, default=1728000, choices=sorted(CELLS))
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="of each rank")
    parser.add_argument("--temperature", type=float, default=300.0, help="kelvin")
    parser.add_argument("--note", default="", help="a remark that the record keeps, for example on other load")
    return parser.parse_args()


def main() -> None:
    """Run, print, write."""
    options = arguments()
    model = find_model(options.model)
    every = max(1, options.steps // 20)
    text = INPUT.format(
        crystal=crystal(options.atoms), model=model, kelvin=options.temperature, every=every, steps=options.steps
    )
    begin = time.perf_counter()
    try:
        run = run_lammps(text, options.ranks, options.threads)
    except RuntimeError as problem:
        sys.exit(f"the run failed: {problem}")
    rows = thermo_rows(run.text, COLUMNS)
    record = {
        "atoms": options.atoms,
        "steps": options.steps,
        "ranks": options.ranks,
        "threads": options.threads,
        "seconds_in_all": time.perf_counter() - begin,
        "loop_seconds": run.loops[-1],
        "us_per_step_per_atom": run.loops[-1] * 1e6 / (options.steps * options.atoms),
        "peak_MB": run.peak_MB,
        "kB_per_atom": run.peak_MB * 1024 / options.atoms,
        "log": rows,
    }
    print("step, K, and eV per atom less those of the first row")
    for row in rows:
        shown = [(row[name] - rows[0][name]) / options.atoms for name in ("PotEng", "TotEng", "Econserve")]
        print(f"{row['Step']:6.0f} {row['Temp']:9.2f} " + " ".join(f"{value:12.6f}" for value in shown))
    print(
        f"{options.atoms} atoms, {options.steps} steps, {options.ranks} ranks of {options.threads} threads: "
        f"{record['loop_seconds']:.1f} s, {record['us_per_step_per_atom']:.3f} us/step/atom, {run.peak_MB:.0f} MB, "
        f"{rows[-1]['c_clipped[1]']:.0f} words clipped"
    )
    common = {"machine": machine(), "versions": versions("nvnmd", "lammps"), "model": model.name, "note": options.note}
    print(f"written to {write_record('big', {**common, **record})}")


if __name__ == "__main__":
    main()
