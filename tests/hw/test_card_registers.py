"""card_registers: identity and sizes, and counters that grow with what happened."""

from typing import Any

import pytest
from rtl_cases import TRAFFIC

from nvnmd.fpga.registers import Register
from nvnmd.fpga.verilate import Module, pack

pytestmark = pytest.mark.hw
EVENTS = ("model", "tag", "answered", "answer_status", "atom_done", "atom_counts", "in_stall", "out_stall")
SIZES = {
    "M1": 16,
    "M2": 2,
    "LAYERS": 4,
    "WIDTH": 96,
    "SKIP": 0,
    "SEG_BITS": 8,
    "SEGMENTS": 300,
    "FEATURE_TABLES": 9,
    "SCALAR_TABLES": 7,
    "GUARD_TABLES": 6,
    "GUARD_SEGMENTS": 40,
    "GATES": 1,
    "NET_LANES": 5,
}
"""In the order of the registers."""
MODULE = Module(
    "card_registers",
    inputs=("s_address",),
    outputs=("m_word",),
    statics=(*EVENTS, "awvalid", "awaddr", "wvalid", "wdata", "bready"),
    parameters={"IDENTITY": 0x12345678, "LANES": 2, "TYPES": 5, "MAX_BODY": 77, **SIZES},
)
EVERY_CYCLE = {
    "model": 1,
    "tag": 0xFEDCBA98,
    "answered": 1,
    "answer_status": 3,
    "atom_done": 1,
    "atom_counts": pack(range(1, 13), 16),
    "in_stall": 1,
    "out_stall": 0,
}
REGISTERS = Register.COUNTS + 12
IDLE = {"awvalid": 0, "awaddr": 0, "wvalid": 0, "wdata": 0, "bready": 1}


def read(registers: list[int], statics: dict[str, int], **traffic: Any) -> tuple[list[int], list[int]]:
    """Words of registers, and the cycles in which they were read."""
    run = MODULE.run([{"s_address": 4 * n} for n in registers], len(registers), statics=statics, **traffic)
    return [beat["m_word"] for beat in run.beats], run.entered


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_registers(traffic: dict[str, Any]) -> None:
    order = [*range(47), 47, 63] * 2
    words, cycles = read(order, EVERY_CYCLE | IDLE, **traffic)
    fixed = {
        Register.MAGIC: int.from_bytes(b"NVMD", "little"),
        Register.VERSION: 1,
        Register.IDENTITY: 0x12345678,
        Register.MODEL: 1,
        Register.CLEAR: 0,
        Register.LANES: 2,
        Register.TYPES: 5,
        Register.MAX_BODY: 77,
        Register.TAG: 0xFEDCBA98,
        Register.EVENTS: 1 | 1 << 3,
        47: 0,
        63: 0,
    }
    rates = dict.fromkeys(range(REGISTERS), 0) | {Register.CYCLES: 1, Register.ATOMS: 1, Register.IN_STALLS: 1}
    rates |= {Register.ANSWERS + 3: 1} | {Register.COUNTS + n: n + 1 for n in range(12)}
    fixed |= {Register.SIZES + n: size for n, size in enumerate(SIZES.values())}
    first = words[order.index(Register.CYCLES)] - cycles[order.index(Register.CYCLES)]
    for number, word, cycle in zip(order, words, cycles, strict=True):
        assert word == (fixed[number] if number in fixed else rates[number] * (first + cycle)), number


def test_clear() -> None:
    words, _ = read(list(range(REGISTERS)), EVERY_CYCLE | IDLE | {"awvalid": 1, "wvalid": 1, "awaddr": 16})
    assert not any(words[Register.CYCLES :])
    words, _ = read(list(range(REGISTERS)), EVERY_CYCLE | IDLE | {"awvalid": 1, "wvalid": 1, "awaddr": 20})
    assert all(words[Register.CYCLES : Register.IN_STALLS + 1])


def test_events_are_forgotten_by_a_write_to_their_register_only() -> None:
    quiet = EVERY_CYCLE | {"answered": 0}
    for address, word in ((4 * Register.EVENTS, 0), (16, 1)):
        write = {"awvalid": 1, "wvalid": 1, "awaddr": address, "wdata": 0xFF, "bready": 1}
        words, _ = read([Register.EVENTS] * 4, quiet | write)
        assert words[-1] == word
