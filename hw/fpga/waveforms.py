"""Waveforms of the card's RTL while it evaluates atoms of a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from nvnmd.fpga.configuration import Configuration
from nvnmd.fpga.load import encode_load
from nvnmd.fpga.stream import encode_atom
from nvnmd.fpga.verilate import Module, StreamRun
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.reference import AtomInput

BUS = ("awvalid", "awaddr", "wvalid", "bready", "arvalid", "araddr", "rready")
BUS_BYTES = 64


def record(
    path: Path,
    model: IntegerModel,
    card: Configuration,
    atoms: Sequence[AtomInput],
    predict: Callable[[list[tuple[int, int]], list[int]], tuple[int, int]],
) -> StreamRun:
    """Load a model into the verilated ``card_shell``, send atoms, and write their waveforms (VCD).

    Args:
        path: of the file; cycle n lasts from 10 n to 10 n + 9.
        model, card: the model, and a configuration that it fits.
        atoms: to evaluate.
        predict: from kind and body words of the load packets, and the neighbors of the atoms, to the cycle in which
            the load is over, where the waveforms begin, and the beats of all answers.

    Returns:
        Every beat on the bus with its cycle.

    Raises:
        FpgaError: the model does not fit, or a tool is missing.
    """
    load = encode_load(model, card)
    packets = [*load, *(encode_atom(atom, len(load) + 1 + n) for n, atom in enumerate(atoms))]
    kinds = [(packet[2], int.from_bytes(packet[4:6], "little")) for packet in load]
    first, expected = predict(kinds, [len(atom.neighbor_type) for atom in atoms])
    data = b"".join(packets)
    ends = range(BUS_BYTES, len(data) + BUS_BYTES, BUS_BYTES)
    beats = [
        {"s_data": int.from_bytes(data[at - BUS_BYTES : at], "little"), "s_last": int(at == len(data))} for at in ends
    ]
    module = Module(
        "card_shell", ("s_data", "s_last"), ("m_data", "m_last"), BUS, parameters=card.parameters, trace=True
    )
    return module.run(beats, expected, statics=dict.fromkeys(BUS, 0), waves=path, waves_from=first)
