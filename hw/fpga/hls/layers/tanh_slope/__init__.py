"""Derivative of tanh at the sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import Build, Port, Word, WordLayer, constants, node


class TanhSlope(WordLayer):
    """Words of hidden layer ``layer``."""

    header = "nvnmd_tanh_slope.h"


def handler(build: Build, name: str, inputs: Sequence[str], layer: int) -> dict[str, Any]:
    """Entry of the layer list; ``layer`` counts from 1."""
    s = build.sizes
    n = s.widths[layer - 1]
    ports = [Port("rows", 1 << (15 - s.seg_bits), 3, Word(16)), constants(2)]
    config = {"n_words": n, "n_lanes": build.lanes(n), "seg_bits": s.seg_bits}
    return node(TanhSlope, name, inputs, (n,), Word(16, 15), ports, **config)
