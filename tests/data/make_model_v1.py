"""Makes model_v1.nvnmd and model_v1.json, see README.md; refuses to replace them."""

import json
import sys
from pathlib import Path

from nvnmd.quantize.choose import CompileOptions
from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.reference import evaluate_atom
from nvnmd.quantize.testing import random_atoms, random_model

HERE = Path(__file__).parent


def main() -> None:
    """Write both files."""
    model_path, words_path = HERE / "model_v1.nvnmd", HERE / "model_v1.json"
    if model_path.exists() or words_path.exists():
        sys.exit("the stored files of version 1 stay as they are")
    options = CompileOptions(u_frac=17, max_neighbors=40)
    model = random_model(2026, options, gated=True, m1=8, m2=2, neuron=(12, 12))
    save_model(model, model_path)
    records = []
    for atom in random_atoms(6, seed=11, most=14, shortest_A=1.8):
        result = evaluate_atom(model, atom)
        records.append(
            {
                "center_type": atom.center_type,
                "displacement": atom.displacement.tolist(),
                "neighbor_type": atom.neighbor_type.tolist(),
                "energy": result.energy,
                "force": result.force.tolist(),
                "clipped": result.clipped,
                "too_close": result.too_close,
            }
        )
    words_path.write_text(json.dumps(records) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
