"""What a model writes into the memories of the card: the rows of every table and weight memory, in their RTL layout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from nvnmd.quantize.integer_model import IntegerModel

WEIGHTS, BIASES, TRANSPOSED, TANH = range(4)
"""Parts of a layer, as ``cfg_part`` of ``fitting_net`` numbers them."""


class LayerRow(NamedTuple):
    """One write through the ``cfg_`` ports of ``fitting_net``; layer ``L`` is the output row."""

    part: int
    layer: int
    output: int
    row: int
    data: int


def bus(words: Any, bits: int) -> int:
    """Pack signed words into one bus, word 0 lowest, in two's complement."""
    mask = (1 << bits) - 1
    return sum((int(word) & mask) << (bits * i) for i, word in enumerate(words))


def beats(words: Any, lanes: int) -> Any:
    """A vector cut into beats of ``lanes`` words ``[beats, lanes]``, the last filled up with zeros."""
    return np.pad(words, (0, -len(words) % lanes)).reshape(-1, lanes)


def fitting_rows(model: IntegerModel, lanes: int) -> Iterator[LayerRow]:
    """Rows of the fitting network (docs/numerics.md, sections 6 and 7) for streams of ``lanes`` words a beat."""
    for layer, (weight, bias) in enumerate(zip(model.weights, model.biases, strict=True)):
        yield from _matrix(WEIGHTS, layer, weight, lanes)
        yield from _matrix(TRANSPOSED, layer, weight.transpose(0, 2, 1), lanes)
        for t, output in np.ndindex(*bias.shape):
            yield LayerRow(BIASES, layer, output, t, bus([bias[t, output]], 32))
    yield from _matrix(WEIGHTS, model.n_layers, model.out_weight[:, None, :], lanes)
    for t, word in enumerate(model.out_bias):
        yield LayerRow(BIASES, model.n_layers, 0, t, bus([word], 32))
    for row, coef in enumerate(model.tanh_coef):
        yield LayerRow(TANH, 0, 0, row, bus(coef, 16))


def _matrix(part: int, layer: int, weight: Any, lanes: int) -> Iterator[LayerRow]:
    """Rows of ``weight [types, out, in]``: one beat of one output's weights each, numbered through the types."""
    for output in range(weight.shape[1]):
        rows = [beat for t in range(weight.shape[0]) for beat in beats(weight[t, output], lanes)]
        for row, words in enumerate(rows):
            yield LayerRow(part, layer, output, row, bus(words, 16))
