"""Gradient times derivative of tanh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import TAIL, Build, Word, WordLayer, node


class GradScale(WordLayer):
    """``gz`` of hidden layer ``layer``."""

    header = "nvnmd_grad_scale.h"


def handler(build: Build, name: str, inputs: Sequence[str], layer: int) -> dict[str, Any]:
    """Entry of the layer list; ``layer`` counts from 1."""
    n, word = build.sizes.widths[layer - 1], Word(16, build.formats.grad_frac[layer])
    return node(GradScale, name, inputs, (n + TAIL,), word, n_words=n, n_lanes=build.lanes(n))
