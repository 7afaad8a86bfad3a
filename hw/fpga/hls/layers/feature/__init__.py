"""Feature table with gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import Build, Port, Word, WordLayer, constants, node


class Feature(WordLayer):
    """``G`` and ``G'`` of every neighbor, all channels."""

    header = "nvnmd_feature.h"


def handler(build: Build, name: str, inputs: Sequence[str]) -> dict[str, Any]:
    """Entry of the layer list."""
    s = build.sizes
    tables = s.feature_tables * s.segments
    gates = s.types**2 if s.gates else 0
    ports = [Port("rows", tables + gates, 3 * s.m1, Word(16)), constants(4 + s.types**2)]
    config = {"n_channels": s.m1, "n_neighbors": s.max_neighbors, "n_types": s.types, "n_segments": s.segments}
    config["first_gate"] = tables if s.gates else 0
    return node(Feature, name, inputs, (s.max_neighbors, 2 * s.m1), Word(16), ports, **config)
