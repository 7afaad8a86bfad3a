"""Makes the small valid models of this folder, see README.md: `python tests/data/fuzz/make_corpus.py`."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from nvnmd.quantize.choose import CompileOptions
from nvnmd.quantize.compiler import compile_model
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.testing import random_atoms, random_spec

HERE = Path(__file__).parent
MODELS = {
    "plain": {"m1": 2, "m2": 2, "neuron": (3,), "type_map": ("Te",)},
    "gated": {"m1": 3, "m2": 2, "neuron": (4, 4), "gated": True},
    "lanes": {"m1": 8, "m2": 4, "neuron": (8, 8), "type_map": ("Ge",), "guard": False},
}


def unused_rows(model: IntegerModel) -> IntegerModel:
    """Extreme words in the rows below the start of the tables, which no check of a model looks at."""
    coef = model.feature_coef.copy()
    coef[:, : model.u_min >> 15] = 32767
    return replace(model, feature_coef=coef, gate=np.full_like(model.gate, 32767))


def main() -> None:
    """Write one file for each model, a few kB each: a short cutoff and wide segments keep the tables small."""
    for name, spec in MODELS.items():
        real = random_spec(4, rcut_A=3.6, **spec)
        atoms = random_atoms(20, 5, len(real.type_map), real.rcut_A, most=12)
        options = CompileOptions(u_frac=15, max_neighbors=16, table_start_A=1.5)
        model = compile_model(real, atoms, options, {"source": "fuzz"})
        save_model(model, HERE / f"{name}.nvnmd")
        if model.gate is not None:
            save_model(unused_rows(model), HERE / "unused-rows.nvnmd")


if __name__ == "__main__":
    main()
