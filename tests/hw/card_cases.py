"""A card in simulation: bytes in, bytes out, and what the reference would answer."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from nvnmd.fpga.configuration import Configuration
from nvnmd.fpga.stream import COUNTS, Answer, Kind, Status, encode_answer
from nvnmd.fpga.verilate import Module, StreamRun
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.reference import AtomInput, evaluate_atom

NOTHING = dict.fromkeys(COUNTS, 0)


def core(configuration: Configuration) -> Module:
    """card_core of a configuration."""
    return Module(
        "card_core",
        inputs=("s_data", "s_last"),
        outputs=("m_data", "m_last", "m_end"),
        parameters=configuration.parameters,
    )


BUS = ("awvalid", "awaddr", "wvalid", "bready", "arvalid", "araddr", "rready")
"""Inputs of the registers, idle unless a test drives them."""


def bus_module(configuration: Configuration) -> Module:
    """card_shell of a configuration: beats of 512 bits."""
    return Module("card_shell", ("s_data", "s_last"), ("m_data", "m_last"), BUS, parameters=configuration.parameters)


def beats(transfers: Iterable[bytes], lanes: int) -> list[dict[str, int]]:
    """Beats of transfers, each with its end marked."""
    size, found = 8 * lanes, []
    for data in transfers:
        cuts = [data[at : at + size] for at in range(0, len(data), size)]
        found += [{"s_data": int.from_bytes(cut, "little"), "s_last": int(cut is cuts[-1])} for cut in cuts]
    return found


def received(run: StreamRun, lanes: int) -> list[bytes]:
    """Answers that left the card, cut at their last beats."""
    packets, packet = [], b""
    for beat in run.beats:
        packet += beat["m_data"].to_bytes(16 * lanes, "little")
        if beat["m_last"]:
            packets.append(packet)
            packet = b""
    assert not packet
    return packets


def answer(model: IntegerModel, atom: AtomInput, sequence: int) -> bytes:
    """What the reference answers to an atom."""
    result = evaluate_atom(model, atom)
    counts = {**result.clipped, "too close": result.too_close}
    return encode_answer(Answer(Kind.ATOM, Status.OK, sequence, result.energy, result.force, counts))


def short(kind: int, status: Status, sequence: int) -> bytes:
    """An answer without a result."""
    return encode_answer(Answer(kind, status, sequence, 0, np.zeros((0, 3), np.int64), NOTHING))  # type: ignore[arg-type]


def loaded(packets: list[bytes], first: int = 1) -> list[bytes]:
    """Answers to a load that succeeds."""
    kinds = [Kind.LOAD_BEGIN, *[Kind.LOAD_ROWS] * (len(packets) - 2), Kind.LOAD_END]
    return [short(kind, Status.OK, first + n) for n, kind in enumerate(kinds)]


def play(configuration: Configuration, transfers: Iterable[bytes], wanted: list[bytes], **traffic: Any) -> StreamRun:
    """Play transfers into the card and compare every byte of every answer."""
    lanes = configuration.neighbor_lanes
    expected = sum(map(len, wanted)) // (16 * lanes)
    run = core(configuration).run(beats(transfers, lanes), expected, **traffic)
    got = received(run, lanes)
    for number, (have, want) in enumerate(zip(got, wanted, strict=False)):
        assert have == want, f"answer {number}: {have.hex(' ', 8)} instead of {want.hex(' ', 8)}"
    assert len(got) == len(wanted)
    return run
