"""Gather the converged CP2K jobs into deepmd/npy folders, one per class, each with `frames.csv`.

Cell and coordinates come from the CP2K input (as CP2K got them, 6 decimals), the rest from its output.
Jobs whose SCF did not converge are left out and counted.

    python collect.py --queue queue --jobs jobs --out .. [--check]
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from ase.io import read
from label import parse_input, parse_output

TYPES = ["Ge", "Te"]
COLUMNS = ["frame", "name", "traj", "T_K", "rho", "t_ps", "sampler", "reason", "committee_dev", "scf_steps", "cpu_s"]


def load(folder, queue):
    """One labelled frame as a dict, or None where CP2K failed."""
    done = json.loads((folder / "done.json").read_text())
    if done["status"] != "converged":
        return None
    symbols, cell, coord = parse_input((folder / "cp2k.inp").read_text())
    frame = parse_output((folder / "cp2k.out").read_text(), cell)
    order = np.argsort([TYPES.index(s) for s in symbols], kind="stable")
    frame.update(box=cell, coord=coord[order], type=sorted(TYPES.index(s) for s in symbols))
    frame["force"] = frame["force"][order]
    frame["info"] = read(queue / f"{folder.name}.extxyz").info
    frame["row"] = {
        **{k: frame["info"].get(k, "") for k in COLUMNS},
        "name": folder.name,
        "scf_steps": done["scf_steps"],
        "cpu_s": done["cpu_s"],
    }
    return frame


def save(frames, out):
    frames.sort(key=lambda f: (f["info"]["traj"], f["info"].get("t_ps", 0), f["row"]["name"]))
    (out / "set.000").mkdir(parents=True, exist_ok=True)
    n = len(frames)
    for key in ("box", "coord", "energy", "force", "virial"):
        data = np.array([f[key] for f in frames], np.float64)
        np.save(out / "set.000" / f"{key}.npy", data if key == "energy" else data.reshape(n, -1))
    (out / "type.raw").write_text("\n".join(map(str, frames[0]["type"])) + "\n")
    (out / "type_map.raw").write_text("\n".join(TYPES) + "\n")
    with (out / "frames.csv").open("w", newline="") as handle:
        table = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
        table.writeheader()
        for i, f in enumerate(frames):
            table.writerow({**f["row"], "frame": i})


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--queue", type=Path, required=True, help="folder of the frames (extxyz), for their provenance")
    p.add_argument("--jobs", type=Path, required=True, help="folder of the CP2K jobs")
    p.add_argument("--out", type=Path, required=True, help="data set folder")
    p.add_argument("--check", action="store_true", help="print the checks and write nothing")
    a = p.parse_args()
    groups, failed, cpu = {}, [], 0.0
    for path in sorted(a.jobs.glob("*/done.json")):
        frame = load(path.parent, a.queue)
        if frame is None:
            failed.append(path.parent.name)
            continue
        groups.setdefault(frame["info"]["group"], []).append(frame)
        cpu += frame["row"]["cpu_s"]
    print(
        f"{'folder':<16}{'frames':>7}{'force rms':>11}{'max':>8}{'|sum F|':>9}{'pressure GPa':>18}"
        f"{'SCF':>6}{'CPU-s':>7}"
    )
    for group, frames in sorted(groups.items()):
        force = np.array([f["force"] for f in frames])
        press = [np.trace(f["virial"]) / 3 / np.linalg.det(f["box"]) * 160.21766 for f in frames]
        print(
            f"{group:<16}{len(frames):>7}{np.sqrt((force**2).mean()):>11.3f}{np.abs(force).max():>8.2f}"
            f"{np.abs(force.sum(1)).max():>9.4f}{min(press):>9.2f}..{max(press):<7.2f}"
            f"{np.mean([f['scf_steps'] for f in frames]):>6.1f}{np.mean([f['row']['cpu_s'] for f in frames]):>7.0f}"
        )
        if not a.check:
            save(frames, a.out / group)
    print(sum(map(len, groups.values())), "frames;", len(failed), "not converged", failed, f"; {cpu / 3600:.2f} CPU-h")


if __name__ == "__main__":
    main()
