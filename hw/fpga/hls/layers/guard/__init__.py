"""Guard table: repulsion at short range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import Build, Port, Word, WordLayer, constants, node


class Guard(WordLayer):
    """Value and slope of every neighbor."""

    header = "nvnmd_guard.h"


def handler(build: Build, name: str, inputs: Sequence[str]) -> dict[str, Any]:
    """Entry of the layer list."""
    s = build.sizes
    ports = [Port("rows", s.guard_tables * s.guard_segments, 3, Word(32)), constants(4 + s.types**2)]
    return node(
        Guard, name, inputs, (s.max_neighbors, 2), Word(32), ports, n_neighbors=s.max_neighbors, n_types=s.types
    )
