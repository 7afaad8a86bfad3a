"""Labeled folders of `nvnmd label` as one extended XYZ file: python make/collect.py --out train.extxyz LABELS/data ...

Atoms are sorted by element, so that frames of one composition make one system; `config_type` is the builder's item.
Positions and forces keep five decimals. provenance.json beside the file counts the frames and says what labeled them.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np

from nvnmd.learn.labeled import read_provenance

ELEMENTS = ("Ge", "Sb", "Te", "Ti", "N", "Si", "O", "W")


def frame_text(symbols: list[str], arrays: dict[str, np.ndarray], k: int, comment: str) -> str:
    """One frame; arrays as in a deepmd folder."""
    order = np.argsort([ELEMENTS.index(symbol) for symbol in symbols], kind="stable")
    rows = np.concatenate([arrays["coord"][k].reshape(-1, 3), arrays["force"][k].reshape(-1, 3)], axis=1)
    lattice, virial = (" ".join(f"{x:.6f}" for x in arrays[name][k].ravel()) for name in ("box", "virial"))
    head = f'Lattice="{lattice}" Properties=species:S:1:pos:R:3:forces:R:3 energy={arrays["energy"][k]:.6f} '
    head += f'virial="{virial}" {comment} pbc="T T T"'
    lines = [symbols[i] + "".join(f" {x:.5f}" for x in rows[i]) for i in order]
    return "\n".join([str(len(symbols)), head, *lines]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("labels", type=Path, nargs="+", help="folders that hold deepmd folders of `nvnmd label`")
    given = parser.parse_args()
    texts, groups, codes = [], Counter(), {}
    for folder in sorted(path.parent for labels in given.labels for path in labels.rglob("type.raw")):
        kinds, names = ((folder / name).read_text().split() for name in ("type.raw", "type_map.raw"))
        symbols, label = [names[int(kind)] for kind in kinds], (folder / "label.raw").read_text().strip()
        arrays = {
            name: np.load(folder / "set.000" / f"{name}.npy") for name in ("coord", "force", "box", "energy", "virial")
        }
        for k, record in enumerate(read_provenance(folder)):
            group = str(record["group"])
            texts.append(frame_text(symbols, arrays, k, f'config_type={group} label="{label}" job={record["job"]}'))
            groups[group] += 1
            code = {key: record[key] for key in ("code", "version", "model_sha256") if key in record}
            codes[label] = code | {"reference": (folder / "reference.raw").read_text().strip()}
    given.out.write_text("".join(texts))
    path = given.out.with_name("provenance.json")
    known = json.loads(path.read_text()) if path.exists() else {}
    known[given.out.name] = {"labels": codes, "frames": dict(sorted(groups.items()))}
    path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    print(f"{given.out}: {len(texts)} frames")


if __name__ == "__main__":
    main()
