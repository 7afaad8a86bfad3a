"""Checks of packets of the stream protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvnmd.fpga.hls.layers.base import Build, Word, WordLayer, constants, node
from nvnmd.fpga.hls.sizes import HALF_WORDS


class PacketIn(WordLayer):
    """A beat with what was found, then the beats of the packet."""

    header = "nvnmd_packet_in.h"


def handler(build: Build, name: str, inputs: Sequence[str]) -> dict[str, Any]:
    """Entry of the layer list."""
    s = build.sizes
    config = {"n_beats": s.packet_beats, "n_neighbors": s.max_neighbors}
    shape, word = (1 + s.packet_beats, HALF_WORDS), Word(32, signed=False)
    return node(PacketIn, name, inputs, shape, word, [constants(1)], **config)
