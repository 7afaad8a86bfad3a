"""Checked packets to neighbor words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import Build, Word, WordLayer, node


class Unpack(WordLayer):
    """Row 0: control, neighbors, sequence number; then displacement and type of every neighbor, -1 for none."""

    header = "nvnmd_unpack.h"


def handler(build: Build, name: str, inputs: Sequence[str]) -> dict[str, Any]:
    """Entry of the layer list."""
    s = build.sizes
    config = {"n_beats": s.packet_beats, "n_neighbors": s.max_neighbors}
    return node(Unpack, name, inputs, (1 + s.max_neighbors, 4), Word(32), (), **config)
