"""Radial and angular table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import Build, Port, Word, WordLayer, constants, node


class Radial(WordLayer):
    """``s, s', h, h'`` of every neighbor; the first and third up to 27 bits, as their slopes."""

    header = "nvnmd_radial.h"


def handler(build: Build, name: str, inputs: Sequence[str]) -> dict[str, Any]:
    """Entry of the layer list."""
    s = build.sizes
    ports = [Port("rows", s.scalar_tables * s.segments, 6, Word(27)), constants(4 + s.types**2)]
    config = {"n_neighbors": s.max_neighbors, "n_types": s.types, "n_segments": s.segments}
    return node(Radial, name, inputs, (s.max_neighbors, 4), Word(27), ports, **config)
