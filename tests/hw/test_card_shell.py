"""The card at the width of its bus: the same bytes, 64 a beat."""

from typing import Any

import pytest
from card_cases import answer, loaded
from harnesses import harnessed
from pipeline_cases import random_mix
from rtl_cases import TRAFFIC, small_model

from nvnmd.fpga.configuration import configuration_for
from nvnmd.fpga.load import encode_load
from nvnmd.fpga.stream import Kind, Status, encode, encode_atom
from nvnmd.fpga.verilate import Module, StreamRun

pytestmark = pytest.mark.hw
MODEL = small_model(gated=True)
CARD = configuration_for(MODEL, neighbor_lanes=2, fitting_lanes=3, atoms=8, max_neighbors=64)
BUS = ("awvalid", "awaddr", "wvalid", "bready", "arvalid", "araddr", "rready")
TOP = harnessed(
    "nvnmd_card_harness",
    ("s_data", "s_last"),
    ("m_data", "m_last", "m_keep", "m_register", "m_interrupt"),
    parameters=CARD.parameters,
)


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_beats_of_512_bits(traffic: dict[str, float]) -> None:
    module = Module("card_shell", ("s_data", "s_last"), ("m_data", "m_last"), BUS, parameters=CARD.parameters)
    run, wanted = play(module, statics=dict.fromkeys(BUS, 0), **traffic)
    ends = [n for packet in wanted for n in [0] * (len(packet) // 64 - 1) + [1]]
    assert [beat["m_last"] for beat in run.beats] == ends


@pytest.mark.parametrize("traffic", TRAFFIC[::3])
def test_the_top_under_the_names_of_axi(traffic: dict[str, float]) -> None:
    run, wanted = play(TOP, **traffic)
    ends = [n for packet in wanted for n in [0] * (len(packet) // 64 - 1) + [1]]
    assert [beat["m_last"] for beat in run.beats] == ends, "a transfer ends with the answer to its only packet"
    assert all(beat["m_keep"] == (1 << 64) - 1 for beat in run.beats)
    assert all(beat["m_register"].to_bytes(4, "little") == b"NVMD" for beat in run.beats)
    assert not any(beat["m_interrupt"] for beat in run.beats), "nothing went wrong"


def test_the_top_asks_for_an_interrupt() -> None:
    atoms = [{"s_data": int.from_bytes(encode(Kind.ATOM, [], n), "little"), "s_last": 1} for n in (1, 2, 3, 4)]
    run = TOP.run(atoms, 4, idle=0.95)
    assert [beat["m_data"] >> 24 & 0xFF for beat in run.beats] == [Status.NO_MODEL] * 4
    assert run.beats[-1]["m_interrupt"] == 1


def play(module: Module, **options: Any) -> tuple[StreamRun, list[bytes]]:
    """Load the model, evaluate atoms, compare every byte."""
    load, atoms = encode_load(MODEL, CARD), random_mix(MODEL.n_types, most=40)
    first = len(load) + 1
    packets = [*load, *(encode_atom(atom, first + n) for n, atom in enumerate(atoms))]
    wanted = [*loaded(load), *(answer(MODEL, atom, first + n) for n, atom in enumerate(atoms))]
    beats = [
        {"s_data": int.from_bytes(packet[at : at + 64], "little"), "s_last": int(at + 64 == len(packet))}
        for packet in packets
        for at in range(0, len(packet), 64)
    ]
    run = module.run(beats, sum(map(len, wanted)) // 64, **options)
    assert b"".join(beat["m_data"].to_bytes(64, "little") for beat in run.beats) == b"".join(wanted)
    return run, wanted
