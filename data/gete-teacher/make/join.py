"""Write the trajectories of `melt_quench.py` as deepmd/npy folders, one per density, in float32.

python join.py --frames frames --out .. --label teacher:NEP_GT --every 2
python join.py --frames driven --out .. --label teacher:NEP_GT --prefix driven
"""

import argparse
from pathlib import Path

import numpy as np


def write_folder(folder: Path, parts: list[dict[str, np.ndarray]], label: str) -> int:
    """One folder of 32 Ge and 32 Te; the number of its frames."""
    (folder / "set.000").mkdir(parents=True, exist_ok=True)
    (folder / "type.raw").write_text("\n".join(["0"] * 32 + ["1"] * 32) + "\n")
    (folder / "type_map.raw").write_text("Ge\nTe\n")
    (folder / "label.raw").write_text(label + "\n")
    for name in ("coord", "force", "box", "virial", "energy"):
        values = np.concatenate([part[name] for part in parts])
        flat = values if name == "energy" else values.reshape(len(values), -1).astype(np.float32)
        np.save(folder / "set.000" / f"{name}.npy", flat)
    return sum(len(part["energy"]) for part in parts)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--frames", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--label", required=True)
    p.add_argument("--prefix", default="rho", help="of the folders' names, before the density")
    p.add_argument("--every", type=int, default=1, help="take one frame of so many")
    a = p.parse_args()
    densities = sorted({path.name.split("-")[0] for path in a.frames.glob("*.npz")})
    for density in densities:
        paths = sorted(a.frames.glob(f"{density}-*.npz"))
        parts = [{name: values[:: a.every] for name, values in np.load(path).items()} for path in paths]
        print(density, write_folder(a.out / f"{a.prefix}-{density}", parts, a.label))
