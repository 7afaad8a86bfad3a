"""From the trainable module to the integer model: the words of its forward pass."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from nvnmd.quantize.integer_model import IntArray, IntegerModel

if TYPE_CHECKING:
    from nvnmd.quantize.qat.model import IntegerPot


@torch.no_grad()
def export_model(pot: IntegerPot, provenance: dict[str, Any]) -> IntegerModel:
    """The integer model of the words that ``pot`` evaluates.

    Raises:
        QuantizeError: they break a guarantee of docs/numerics.md.
    """
    f, first = pot.formats, pot.integer.u_min >> 15
    value, slope = pot.features.fractions
    coef = pot.features.coefficients().numpy() * 2.0 ** np.array([value, slope, slope])[:, None]
    weights, biases = pot.fitting.words()
    sums = [w + a for w, a in zip(f.weight_frac, f.act_frac, strict=True)]
    weight_words = [_integers(w, frac, np.int16) for w, frac in zip(weights, f.weight_frac, strict=True)]
    bias_words = [_integers(b, frac, np.int32) for b, frac in zip(biases, sums, strict=True)]
    gate = pot.features.gates()
    return dataclasses.replace(
        pot.integer,
        feature_coef=np.pad(coef, ((0, 0), (first, 0), (0, 0), (0, 0))).astype(np.int16),
        gate=None if gate is None else _integers(gate, 14, np.int16).reshape(pot.n_types, pot.n_types, -1),
        weights=tuple(weight_words[:-1]),
        biases=tuple(bias_words[:-1]),
        out_weight=weight_words[-1][:, 0],
        out_bias=bias_words[-1][:, 0],
        provenance=provenance,
    ).validate()


def _integers(values: Tensor, frac: int, dtype: Any) -> IntArray:
    words: IntArray = (values.numpy() * 2.0**frac).astype(dtype)
    return words
