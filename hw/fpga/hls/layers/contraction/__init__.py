"""The sum over neighbors, X."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import TAIL, Build, Word, WordLayer, constants, node


class Contraction(WordLayer):
    """``X`` with index ``c·M1 + k``, and the tail."""

    header = "nvnmd_contraction.h"


def handler(build: Build, name: str, inputs: Sequence[str]) -> dict[str, Any]:
    """Entry of the layer list."""
    s, word = build.sizes, Word(build.formats.x_bits, build.formats.x_frac)
    config = {"n_channels": s.m1, "n_neighbors": s.max_neighbors}
    return node(Contraction, name, inputs, (4 * s.m1 + TAIL,), word, [constants(1)], **config)
