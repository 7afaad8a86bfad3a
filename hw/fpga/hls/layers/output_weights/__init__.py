"""Where the backward pass starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import TAIL, Build, Port, Word, WordLayer, node


class OutputWeights(WordLayer):
    """The output row of the atom's type."""

    header = "nvnmd_output_weights.h"


def handler(build: Build, name: str, inputs: Sequence[str]) -> dict[str, Any]:
    """Entry of the layer list."""
    s, f = build.sizes, build.formats
    n, frac = s.widths[-1], f.grad_frac[len(s.widths)]
    ports = [Port("rows", n, s.types, Word(16, frac))]
    return node(OutputWeights, name, inputs, (n + TAIL,), Word(16, frac), ports, n_words=n, n_lanes=build.lanes(n))
