"""Numbers of the card's registers (docs/stream.md, "Registers"); the address is four times the number."""

from enum import IntEnum


class Register(IntEnum):
    """Registers of ``card_registers``; those from ``CYCLES`` on count."""

    MAGIC = 0
    VERSION = 1
    IDENTITY = 2
    MODEL = 3
    CLEAR = 4
    LANES = 5
    TYPES = 6
    MAX_BODY = 7
    CYCLES = 8
    ATOMS = 9
    IN_STALLS = 10
    OUT_STALLS = 11
    ANSWERS = 12
    """First of eight: answers by status."""
    COUNTS = 20
    """First of twelve: words clipped by stage, and neighbors too close."""
    TAG = 32
    SIZES = 33
    """First of those of ``SIZES``."""
    EVENTS = 46
    """Bit 0: the card was reset; bit n: an answer with status n was given. A write enables and forgets."""


SIZES = (
    "m1",
    "m2",
    "layers",
    "width",
    "skip",
    "seg_bits",
    "segments",
    "feature_tables",
    "scalar_tables",
    "guard_tables",
    "guard_segments",
    "gates",
    "fitting_lanes",
)
"""Fields of ``Configuration`` that a host reads from the registers."""
