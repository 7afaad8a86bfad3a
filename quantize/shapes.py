"""Sizes, shapes and the cutoff of an integer model (docs/numerics.md, section 10); the C++ loader has the same."""

from __future__ import annotations

import numpy as np

from nvnmd.quantize.errors import require
from nvnmd.quantize.fixed import limit, rnd
from nvnmd.quantize.integer_model import IntegerModel

MOST_TYPES, MOST_CHANNELS, MOST_LAYERS, MOST_WIDTH, MOST_NEIGHBORS = 128, 256, 16, 65536, 1024
_DIMENSIONS = {
    "feature.coef": 4,
    "scalar.coef": 4,
    "guard.coef": 3,
    "gate": 3,
    "tanh.coef": 2,
    "energy_bias": 1,
    "fit.out.bias": 1,
}


def check_sizes(m: IntegerModel) -> None:
    """Counts and dimensions, before anything that relies on them.

    Raises:
        QuantizeError: naming the first that is wrong.
    """
    for name, array in m.tensors.items():
        wanted = _DIMENSIONS.get(name, 3 if name.startswith("fit.weight.") else 2)
        require(array.ndim == wanted, f"{name} has a wrong number of dimensions, {array.ndim} instead of {wanted}")
    require(1 <= m.n_types <= MOST_TYPES, f"type_map must name 1 to {MOST_TYPES} elements, not {m.n_types}")
    twice = [name for index, name in enumerate(m.type_map) if name in m.type_map[:index]]
    require(not twice, f"type_map names an element twice: {', '.join(twice)}")
    require(1 <= m.m1 <= MOST_CHANNELS, f"feature.coef must have 1 to {MOST_CHANNELS} channels, not {m.m1}")
    require(1 <= m.m2 <= m.m1, f"m2 = {m.m2} must be from 1 to the number of channels, {m.m1}")
    require(1 <= m.max_neighbors <= MOST_NEIGHBORS, f"max_neighbors must be 1 to {MOST_NEIGHBORS}")
    require(len(m.weights) == len(m.biases) == len(m.skip), "layer counts disagree")
    require(1 <= len(m.skip) <= MOST_LAYERS, f"skip must list 1 to {MOST_LAYERS} layers, not {len(m.skip)}")


def check_cutoff(m: IntegerModel) -> None:
    """Cutoff, start and length of the tables, and the reach of displacement words.

    Raises:
        QuantizeError: naming the first that is wrong.
    """
    f = m.formats
    require(0 < m.u_cut <= 1 << 24, f"u_cut must be 1 to {1 << 24}, not {m.u_cut}")
    require(0.0 < m.rcut_A <= 1024.0, f"rcut_A must be a distance up to 1024 A, not {m.rcut_A}")
    require(abs(m.rcut_A**2 * 2.0**f.u_frac - m.u_cut) <= 1.0, "rcut_A and u_cut disagree")
    require(
        0 < m.u_min < m.u_cut and m.u_min % (1 << 15) == 0, "u_min must be a multiple of 32768 above zero, below u_cut"
    )
    require(m.n_seg == -(-m.u_cut >> 15), f"the tables do not cover the cutoff: they have {m.n_seg} segments")
    reach = int(rnd(limit(f.dx_bits) ** 2, 2 * f.dx_frac - f.u_frac))
    require(reach >= m.u_cut, "dx_bits cannot hold a displacement of the cutoff's length; train with a smaller rcut")


def check_shapes(m: IntegerModel) -> None:
    """Shapes that follow from the sizes, and table indices.

    Raises:
        QuantizeError: naming the first that is wrong.
    """
    n, width = m.n_types, m.m1 * m.m2
    for name, table, count in (
        ("feature", m.feature_table, len(m.feature_coef)),
        ("scalar", m.scalar_table, len(m.scalar_coef)),
        ("guard", m.guard_table, len(m.guard_coef) if m.n_guard else 1),
    ):
        require(
            table.shape == (n, n) and bool(np.all((table >= 0) & (table < count))),
            f"{name}.table has a wrong shape or names a table that does not exist",
        )
    require(m.feature_coef.shape[2] == 3, "feature.coef has a wrong shape")
    require(m.scalar_coef.shape[1:] == (m.n_seg, 2, 3), "scalar.coef has a wrong shape")
    require(m.n_guard <= m.n_seg and m.guard_coef.shape[2] == 3, "guard.coef has a wrong shape")
    require(m.tanh_coef.shape == (1 << (15 - m.formats.tanh_seg_bits), 3), "tanh.coef has a wrong shape")
    require(m.gate is None or m.gate.shape == (n, n, m.m1), "gate has a wrong shape")
    for layer, (weight, bias, skip) in enumerate(zip(m.weights, m.biases, m.skip, strict=True), start=1):
        require(weight.shape[0] == n and weight.shape[2] == width, f"fit.weight.{layer} has a wrong shape")
        require(1 <= weight.shape[1] <= MOST_WIDTH, f"layer {layer} must have 1 to {MOST_WIDTH} outputs")
        require(bias.shape == weight.shape[:2], f"fit.bias.{layer} has a wrong shape")
        require(not skip or (layer > 1 and weight.shape[1] == width), f"layer {layer} cannot have a skip connection")
        width = weight.shape[1]
    for name, shape in (("fit.out.weight", (n, width)), ("fit.out.bias", (n,)), ("energy_bias", (n,))):
        require(m.tensors[name].shape == shape, f"{name} has a wrong shape")
