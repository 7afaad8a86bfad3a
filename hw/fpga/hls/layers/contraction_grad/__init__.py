"""Derivative by X."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import TAIL, Build, Word, WordLayer, constants, node


class ContractionGrad(WordLayer):
    """``Y`` with index ``c·M1 + k``."""

    header = "nvnmd_contraction_grad.h"


def handler(build: Build, name: str, inputs: Sequence[str]) -> dict[str, Any]:
    """Entry of the layer list."""
    s, word = build.sizes, Word(16, build.formats.y_frac)
    config = {"n_channels": s.m1, "n_columns": s.m2}
    return node(ContractionGrad, name, inputs, (4 * s.m1 + TAIL,), word, [constants(1)], **config)
