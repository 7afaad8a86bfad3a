"""Energy of the atom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import Build, Port, Word, WordLayer, constants, node


class Energy(WordLayer):
    """``E_i``, one word."""

    header = "nvnmd_energy.h"


def handler(build: Build, name: str, inputs: Sequence[str]) -> dict[str, Any]:
    """Entry of the layer list."""
    s, word = build.sizes, Word(64, build.formats.e_frac)
    ports = [Port("rows", s.types, 1, word), constants(1)]
    return node(Energy, name, inputs, (1,), word, ports, n_neighbors=s.max_neighbors)
