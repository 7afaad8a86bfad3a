"""The symmetric contraction, D."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import TAIL, Build, Word, WordLayer, constants, node


class Symmetric(WordLayer):
    """``D`` with index ``k·M2 + m``."""

    header = "nvnmd_symmetric.h"


def handler(build: Build, name: str, inputs: Sequence[str]) -> dict[str, Any]:
    """Entry of the layer list."""
    s, word = build.sizes, Word(16, build.formats.d_frac)
    config = {"n_channels": s.m1, "n_columns": s.m2}
    return node(Symmetric, name, inputs, (s.m1 * s.m2 + TAIL,), word, [constants(1)], **config)
