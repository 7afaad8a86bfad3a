"""Models and atoms that HLS projects are compared on."""

from dataclasses import replace

import numpy as np

from nvnmd.fpga.hls.options import HlsOptions
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.nodes import tanh_coefficients
from nvnmd.quantize.reference import AtomInput
from nvnmd.quantize.testing import random_atoms, random_model

OPTIONS = HlsOptions(reuse=8)
SMALL = {"m1": 4, "m2": 2, "neuron": (8, 8, 8)}


def gated_model() -> IntegerModel:
    """Two types, the strip form, a skip connection and a guard."""
    return random_model(0, gated=True, **SMALL)


def pair_model() -> IntegerModel:
    """The form with a network for each pair, other number formats."""
    return random_model(3, rcut_A=5.0, **SMALL)


def lone_model() -> IntegerModel:
    """One type, no guard: smaller in every memory."""
    return random_model(9, type_map=("Sb",), guard=False, **SMALL)


def clipping_model(model: IntegerModel) -> IntegerModel:
    """The same model in units so fine that words of every stage but H clip; sums stay exact."""
    f = model.formats
    x_frac, a_frac = f.x_frac + 4, f.a_frac + 6
    finer = replace(
        f,
        env_frac=f.env_frac + 4,
        x_frac=x_frac,
        d_frac=f.d_frac + 7,
        act_frac=(f.d_frac + 7, *f.act_frac[1:]),
        y_frac=f.y_frac + 5,
        grad_frac=(*[word + 3 for word in f.grad_frac[:-1]], f.grad_frac[-1]),
        a_frac=a_frac,
        b_frac=f.b_frac + 7,
        v_frac=f.v_frac + 6,
        p_frac=a_frac + f.h_frac + 6 - f.dx_frac,
        f_frac=a_frac + f.h_frac,
    )
    assert finer.t_bits <= 52, "sums stay exact"
    assert finer.f_bits_needed <= 52, "sums stay exact"
    return replace(model, formats=finer)


def saturated_model(model: IntegerModel) -> IntegerModel:
    """The same model with activations at their limits: sums of skip connections clip."""
    f = model.formats
    formats = replace(f, act_frac=(f.act_frac[0], *[14] * model.n_layers), tanh_shift=f.tanh_shift + f.act_frac[1] - 14)
    coef = tanh_coefficients(14, f.z_frac, f.tanh_seg_bits, formats.tanh_shift)
    biases = tuple((np.arange(bias.size).reshape(bias.shape) % 2 << 28).astype(np.int32) for bias in model.biases)
    return replace(model, formats=formats, biases=biases, tanh_coef=coef)


def edge_atoms(n_types: int, most: int) -> list[AtomInput]:
    """Without neighbors, with one, with the most, with neighbors closer than the tables begin, at the cutoff's edge."""
    none = np.zeros((0, 3), np.int64)
    near = np.array([[0, 0, 0], [3, -2, 1], [30000, 0, 0], [-131, 70, 2]])
    full = next(atom for atom in random_atoms(400, 32, n_types, 4.9, most=most) if len(atom.neighbor_type) == most)
    return [
        AtomInput(0, none, np.zeros(0, np.int64)),
        AtomInput(n_types - 1, np.array([[20000, -30000, 9000]]), np.array([0])),
        full,
        AtomInput(0, near, np.zeros(4, np.int64)),
        AtomInput(n_types - 1, np.array([[80000, 0, 0], [0, -80001, 3]]), np.array([0, n_types - 1])),
    ]
