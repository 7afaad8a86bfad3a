"""A model as a stream of load packets for one configuration (docs/stream.md, "Loading a model")."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from nvnmd.fpga.configuration import Configuration
from nvnmd.fpga.pipeline import ENERGY_BIAS, FITTING, Row, constants, rows
from nvnmd.fpga.stream import Kind, encode
from nvnmd.quantize.integer_model import IntegerModel

CONSTANTS, ENERGIES, NETWORK = 8, 9, 64
"""Targets of rows beside those of the neighbor front, which are 0 … 5."""

_SHIFTS = "u feature s h guard r0 r x d tanh e y a b v p f"
Runs = dict[tuple[int, int], dict[int, int]]


def constant_words(model: IntegerModel) -> list[int]:
    """The constants of a model in the order of ``model_constants``."""
    named = constants(model)
    words = [named["u_min"], named["guard_end"], named["gated"]]
    words += [named[f"{name}_shift"] for name in _SHIFTS.split()]
    words += [named["align"] >> 6 * n & 63 for n in range(5)]
    for layer in range(model.n_layers):
        words += [named[f"{name}_shift"] >> 6 * layer & 63 for name in ("z", "g", "skip")]
    return words


def encode_load(model: IntegerModel, configuration: Configuration, first: int = 1) -> list[bytes]:
    """Packets that load a model, numbered from ``first``. Its tag is the checksum of the rows' words.

    Raises:
        FpgaError: the model does not fit the card.
    """
    configuration.check(model)
    bodies = list(_bodies(model, configuration))
    written = sum((len(body) - 1) // (body[0] >> 8 & 0xFF) for body in bodies)
    tag = 0
    for body in bodies:
        tag = zlib.crc32(np.array(body, "<u8").tobytes(), tag)
    begin = encode(Kind.LOAD_BEGIN, [configuration.identity | tag << 32], first)
    rows = [encode(Kind.LOAD_ROWS, body, first + 1 + n) for n, body in enumerate(bodies)]
    return [begin, *rows, encode(Kind.LOAD_END, [written], first + 1 + len(rows))]


def _bodies(model: IntegerModel, configuration: Configuration) -> Iterator[list[int]]:
    for (target, index), found in _runs(model, configuration).items():
        words = _row_words(target, configuration)
        most, body, last = configuration.max_body, list[int](), -1
        for row, data in sorted(found.items()):
            if body and (row != last + 1 or len(body) + words > most):
                yield body
                body = []
            body = body or [target | words << 8 | index << 16 | row << 32]
            body += [data >> 64 * n & (1 << 64) - 1 for n in range(words)]
            last = row
        yield body


def _runs(model: IntegerModel, configuration: Configuration) -> Runs:
    """Rows by target and index."""
    runs: Runs = defaultdict(dict)
    for row in rows(model, configuration.fitting_lanes, configuration.segments, configuration.guard_segments):
        runs[_target(row), row.output][row.row] = row.data
    runs[CONSTANTS, 0] = dict(enumerate(constant_words(model)))
    return runs


def _target(row: Row) -> int:
    if row.unit == FITTING:
        return NETWORK + 4 * row.layer + row.part
    return ENERGIES if row.unit == ENERGY_BIAS else row.part


def _row_words(target: int, configuration: Configuration) -> int:
    """64-bit words of a row: wide tables have up to 86 bits, weights 16 bits a lane."""
    if target >= NETWORK and target % 2 == 0:
        return -(-configuration.fitting_lanes // 4)
    return 2 if target in (1, 2, 3) else 1
