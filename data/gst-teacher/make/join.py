"""Keep the labeled frames of a run of `nvnmd learn`: all rounds together, a folder an item and composition, in float32.

python join.py --run run --out .. --max-force 6
"""

import argparse
import shutil
from pathlib import Path

import numpy as np

ARRAYS = ("coord", "force", "box", "virial", "energy")
WORDS = ("type.raw", "type_map.raw", "label.raw", "reference.raw")


def write_folder(folder: Path, parts: list[Path], max_force: float) -> int:
    """The frames of several folders with the same atoms in one, without those with a larger force; their number."""
    words = {name: (parts[0] / name).read_text() for name in WORDS}
    if any((part / name).read_text() != words[name] for part in parts for name in WORDS):
        raise SystemExit(f"{folder.name}: the folders differ in atoms or labels")
    forces = np.concatenate([np.load(part / "set.000/force.npy") for part in parts])
    kept = np.linalg.norm(forces.reshape(len(forces), -1, 3), axis=2).max(axis=1) <= max_force
    if not kept.any():
        return 0
    (folder / "set.000").mkdir(parents=True)
    for name, text in words.items():
        (folder / name).write_text(text)
    for name in ARRAYS:
        values = np.concatenate([np.load(part / "set.000" / f"{name}.npy") for part in parts])[kept]
        np.save(folder / "set.000" / f"{name}.npy", values if name == "energy" else values.astype(np.float32))
    return len(values)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--run", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--max-force", type=float, default=np.inf, help="eV/A, of frames to train on")
    a = p.parse_args()
    for kind in ("train", "test"):
        shutil.rmtree(a.out / kind, ignore_errors=True)
        found: dict[str, list[Path]] = {}
        for path in sorted(a.run.glob(f"data/round-*/{kind}/*")):
            found.setdefault(path.name, []).append(path)
        limit = a.max_force if kind == "train" else np.inf
        print(kind, {name: write_folder(a.out / kind / name, parts, limit) for name, parts in sorted(found.items())})
