"""Contractions of Y with the features of a neighbor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import Build, Word, WordLayer, constants, node


class ForceDots(WordLayer):
    """``A`` and ``B`` of every neighbor, and words clipped at each."""

    header = "nvnmd_force_dots.h"


def handler(build: Build, name: str, inputs: Sequence[str]) -> dict[str, Any]:
    """Entry of the layer list."""
    s, f = build.sizes, build.formats
    config = {"n_channels": s.m1, "n_neighbors": s.max_neighbors, "a_bits": f.a_bits, "b_bits": f.b_bits}
    return node(ForceDots, name, inputs, (s.max_neighbors, 10), Word(18), [constants(2)], **config)
