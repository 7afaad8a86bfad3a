"""Answers of the stream protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import Build, Word, WordLayer, node
from nvnmd.fpga.hls.sizes import HALF_WORDS


class PacketOut(WordLayer):
    """``[beats, 16]`` 32-bit words."""

    header = "nvnmd_packet_out.h"


def handler(build: Build, name: str, inputs: Sequence[str]) -> dict[str, Any]:
    """Entry of the layer list."""
    s = build.sizes
    config = {"n_beats": s.answer_beats, "n_neighbors": s.max_neighbors, "n_words": 4 * s.m1}
    return node(PacketOut, name, inputs, (s.answer_beats, HALF_WORDS), Word(32, signed=False), (), **config)
