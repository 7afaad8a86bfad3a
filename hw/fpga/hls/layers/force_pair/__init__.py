"""Pair forces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import Build, Word, WordLayer, constants, node


class ForcePair(WordLayer):
    """Force of every neighbor, and words clipped at V, P and F."""

    header = "nvnmd_force_pair.h"


def handler(build: Build, name: str, inputs: Sequence[str]) -> dict[str, Any]:
    """Entry of the layer list."""
    n, f = build.sizes.max_neighbors, build.formats
    config = {"n_neighbors": n, "v_bits": f.v_bits, "p_bits": f.p_bits}
    return node(ForcePair, name, inputs, (n, 6), Word(f.f_bits, f.f_frac), [constants(8)], **config)
