"""Rounding of backward sums, with or without skip connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import TAIL, Build, Word, WordLayer, constants, node


class GradRound(WordLayer):
    """``g`` in front of hidden layer ``layer``."""

    header = "nvnmd_grad_round.h"


def handler(build: Build, name: str, inputs: Sequence[str], layer: int) -> dict[str, Any]:
    """Entry of the layer list; ``layer`` counts from 1."""
    n, word = build.sizes.layer_inputs[layer - 1], Word(16, build.formats.grad_frac[layer - 1])
    ports = [constants(len(inputs))]
    return node(GradRound, name, inputs, (n + TAIL,), word, ports, n_words=n, n_lanes=build.lanes(n))
