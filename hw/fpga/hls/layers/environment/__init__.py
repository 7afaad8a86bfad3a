"""Environment matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import Build, Word, WordLayer, constants, node


class Environment(WordLayer):
    """``R_0 … R_z`` of every neighbor, words clipped, too close."""

    header = "nvnmd_environment.h"


def handler(build: Build, name: str, inputs: Sequence[str]) -> dict[str, Any]:
    """Entry of the layer list."""
    n, word = build.sizes.max_neighbors, Word(16, build.formats.env_frac)
    return node(Environment, name, inputs, (n, 6), word, [constants(4)], n_neighbors=n)
