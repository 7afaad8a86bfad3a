"""What a configuration costs: cells of its blocks, counted by yosys one block at a time and summed.

Blocks with many equal columns are counted at two small widths and extended linearly: a column of a matrix, or a channel
of a table, is the same circuit however many stand side by side. What lies between the blocks is counted too: the whole
card with these blocks as black boxes. These are *yosys estimates*: no placement, no timing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nvnmd.fpga.configuration import Configuration
from nvnmd.fpga.synthesis import Resources, synthesize

VU9P = Resources(lut=1_182_240, ff=2_364_480, dsp=6_840, bram=2_160, uram=960)
LETTER = Resources(lut=551_738, ff=1_178_658, dsp=3_253, bram=550, uram=369)
"""Published usage of the accelerator on a VU9P that this one is compared with."""


@dataclass(frozen=True)
class Block:
    """Equal instances of one module.

    Attributes:
        name: what it is called in the table.
        module, parameters: as in the RTL.
        copies: instances.
        grows: parameter whose value is reached by extension, and the two values at which cells are counted.
        without: modules that are left out, because other blocks count them.
    """

    name: str
    module: str
    parameters: dict[str, int]
    copies: int = 1
    grows: tuple[str, int, int] | None = None
    without: tuple[str, ...] = ()

    def count(self, synthesis: Callable[..., Resources] = synthesize) -> Resources:
        """Cells of all instances.

        Raises:
            FpgaError: yosys is missing or refuses the module.
        """
        if self.grows is None:
            return synthesis(self.module, self.parameters, self.without) * self.copies
        name, low, high = self.grows
        small, large = (synthesis(self.module, self.parameters | {name: size}) for size in (low, high))
        steps = (self.parameters[name] - low) / (high - low)
        return (small + (large - small) * steps) * self.copies


def blocks(c: Configuration) -> Iterator[Block]:
    """The blocks of a card, the largest first; the last is what lies between them."""
    found = [*_fitting(c), *_neighbors(c), *_streams(c)]
    yield from found
    parameters = {name: value for name, value in c.parameters.items() if name != "IDENTITY"}
    others = tuple(sorted({block.module for block in found}))
    yield Block("FIFOs, counters between them", "nvnmd_card", parameters, without=others)


def _fitting(c: Configuration) -> Iterator[Block]:
    inputs, lanes = c.m1 * c.m2, c.fitting_lanes
    base = {"INPUT_LANES": lanes, "OUTPUT_LANES": lanes, "TYPES": c.types}
    for first in (True, False) if c.layers > 1 else (True,):
        skip = {"SKIP": int(c.skip and not first)}
        copies, fan_in = (1, inputs) if first else (c.layers - 1, c.width)
        which = "1" if first else f"2 … {c.layers}"
        sizes = base | skip | {"SEG_BITS": c.seg_bits, "INPUTS": fan_in, "OUTPUTS": c.width}
        yield Block(f"fitting layer {which}, forward", "hidden_layer", sizes, copies, ("OUTPUTS", 4, 8))
        sizes = base | skip | {"INPUTS": c.width, "OUTPUTS": fan_in}
        yield Block(f"fitting layer {which}, backward", "backward_layer", sizes, copies, ("OUTPUTS", 4, 8))
    yield Block("output row", "output_row", {"INPUTS": c.width, "LANES": lanes, "TYPES": c.types})


def _neighbors(c: Configuration) -> Iterator[Block]:
    lanes, channels = c.neighbor_lanes, ("M1", 4, 8)
    tables = {name: c.parameters[name] for name in ("M1", "SEGMENTS", "FEATURE_TABLES", "SCALAR_TABLES")}
    tables |= {name: c.parameters[name] for name in ("GUARD_SEGMENTS", "GUARD_TABLES", "GATES")}
    yield Block("neighbor front", "neighbor_front", tables | {"PAIRS": c.types**2}, lanes, channels)
    shape = {"M1": c.m1, "M2": c.m2, "COLUMNS": c.columns}
    grown = ("M1", c.columns * max(4, c.m2), 2 * c.columns * max(4, c.m2))
    yield Block("descriptor, sums and D", "descriptor_acc", shape | {"LANES": lanes}, 1, grown)
    yield Block("descriptor, gradient", "descriptor_grad", shape, 1, grown)
    yield Block("forces", "force_stage", {"M1": c.m1, "LANES": 1}, lanes, channels)
    carry = 3 * 18 + 2 * c.m1 * 16 + 4 * 27 + 4 * 16
    wait = {"WIDTH": lanes * (carry + 1) + 1, "DEPTH": c.parameters["WAIT"]}
    yield Block("neighbors wait", "block_fifo", wait)
    beats = c.atoms * c.m1 // c.columns
    columns = {"WIDTH": c.columns * 60, "DEPTH": 1 << (beats - 1).bit_length()}
    yield Block("columns of X wait", "block_fifo", columns)
    net, rows = c.fitting_lanes, c.columns * c.m2
    for entry, leave in ((rows, net), (net, rows)):
        yield Block("regroup", "regroup", {"WORDS": c.m1 * c.m2, "IN_LANES": entry, "OUT_LANES": leave})


def _streams(c: Configuration) -> Iterator[Block]:
    lanes, body = c.neighbor_lanes, c.max_body
    depth = 1 << (4 * (body // lanes + 1) - 1).bit_length()
    sizes = {"LANES": lanes, "TYPES": c.types, "MAX_BODY": body, "DEPTH": depth}
    yield Block("packets in", "packet_in", sizes)
    yield Block("packets out", "packet_out", {"LANES": lanes})
    yield Block("dispatch", "dispatch", {"LANES": lanes, "ATOMS": 4 * c.atoms})
    data = max(86, 16 * c.fitting_lanes)
    yield Block("loader", "loader", {"LANES": lanes, "DATA_W": data, "ROW_WORDS": -(-data // 64)})
    yield Block("constants", "model_constants", {"LAYERS": c.layers})
    yield Block("registers", "card_registers", {"LANES": lanes})
    yield Block("bus in", "stream_narrow", {"WIDTH": 64 * lanes, "FACTOR": 8 // lanes})
    yield Block("bus out", "stream_widen", {"WIDTH": 128 * lanes, "FACTOR": 4 // lanes})
