"""Hidden words: tanh of the sums, with or without skip connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import TAIL, Build, Port, Word, WordLayer, constants, node


class TanhValue(WordLayer):
    """Words of hidden layer ``layer``."""

    header = "nvnmd_tanh_value.h"


def handler(build: Build, name: str, inputs: Sequence[str], layer: int) -> dict[str, Any]:
    """Entry of the layer list; ``layer`` counts from 1."""
    s, f = build.sizes, build.formats
    n = s.widths[layer - 1]
    ports = [Port("rows", 1 << (15 - s.seg_bits), 3, Word(16)), constants(2)]
    config = {"n_words": n, "n_lanes": build.lanes(n), "seg_bits": s.seg_bits}
    return node(TanhValue, name, inputs, (n + TAIL,), Word(16, f.act_frac[layer]), ports, **config)
