"""Parts that are known, and whether a project fits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nvnmd.fpga.hls.errors import HlsError
from nvnmd.fpga.hls.options import HlsOptions
from nvnmd.fpga.hls.sizes import Sizes


@dataclass(frozen=True)
class Part:
    """What a device has."""

    dsp: int
    bram36: int
    uram: int


PARTS = {
    "xcvu9p": Part(6840, 2160, 960),
    "xcu200": Part(6840, 2160, 960),
    "xcvu13p": Part(12288, 2688, 1280),
    "xcu250": Part(12288, 2688, 1280),
}
"""By the first field of the part's name; of others only the name is checked."""


def check_part(sizes: Sizes, options: HlsOptions) -> None:
    """Check options, and that multipliers and memories, counted, are on the part.

    Raises:
        HlsError: naming what is wrong, or what is missing and by how much.
    """
    from nvnmd.fpga.hls.estimate import memory_bits, multipliers

    if not re.fullmatch(r"x[ck][a-z0-9]+(-[a-z0-9]+)*", options.part):
        raise HlsError(f"{options.part!r} is no name of a part; one is xcvu9p-flga2104-2-e")
    if not 10.0 <= options.clock_MHz <= 900.0:
        raise HlsError(f"a clock of {options.clock_MHz:g} MHz is outside 10 … 900")
    if options.reuse < 1:
        raise HlsError(f"the reuse factor must be at least 1, not {options.reuse}")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", options.name):
        raise HlsError(f"{options.name!r} is no name for a C++ function")
    part = PARTS.get(options.part.split("-")[0])
    if part is None:
        return
    needed, bits = sum(multipliers(sizes, options.reuse).values()), sum(memory_bits(sizes).values())
    if needed > part.dsp:
        raise HlsError(
            f"the model needs {needed} multipliers at reuse {options.reuse}, {options.part} has {part.dsp}; "
            "raise --reuse or choose a larger part"
        )
    room = part.bram36 * 36864 + part.uram * 294912
    if bits > room:
        raise HlsError(f"tables and weights need {bits >> 20} Mbit, {options.part} has {room >> 20} Mbit of memory")
