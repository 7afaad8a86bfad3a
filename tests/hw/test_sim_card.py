"""nvnmd.sim equals the verilated card in the cycle at which every beat passes the bus."""

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from card_cases import BUS, bus_module
from rtl_cases import small_model
from waves import signals

from nvnmd.fpga.configuration import Configuration, configuration_for
from nvnmd.fpga.stream import Kind, encode
from nvnmd.quantize.testing import random_model
from nvnmd.sim import PLACES
from nvnmd.sim.card import PACKET_PLACES, CardSizes, Status, packet_beats, packets, simulate_card

pytestmark = pytest.mark.hw
UNEVEN = random_model(5, m1=5, m2=2, neuron=(7, 7, 7), skip=False, type_map=("Ge", "Sb", "Te"))
CARDS: dict[str, Configuration] = {
    "one lane": configuration_for(small_model(), neighbor_lanes=1, fitting_lanes=2, atoms=8, max_neighbors=40),
    "two lanes": configuration_for(small_model(), neighbor_lanes=2, fitting_lanes=3, columns=2, max_neighbors=24),
    "four lanes": configuration_for(small_model(), neighbor_lanes=4, fitting_lanes=4, columns=4, max_neighbors=40),
    "little room": configuration_for(UNEVEN, neighbor_lanes=1, fitting_lanes=3, columns=5, atoms=2, max_neighbors=17),
}
TRAFFIC = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.3, 0.3), (0.05, 0.9)]
FAULTS = [Status.BAD_CHECKSUM, Status.BAD_HEADER, Status.TOO_LONG, Status.BAD_TYPE, Status.TRUNCATED]


def spoiled(card: Configuration, status: Status, number: int) -> tuple[bytes, int]:
    """A packet in which the card finds ``status``, and the body words that its header names."""
    packet = bytearray(encode(Kind.ATOM, [7, 8, 9, 10, 11, 12, 13], number))
    words = 7
    if status == Status.BAD_CHECKSUM:
        packet[20] ^= 1
    elif status == Status.BAD_HEADER:
        packet[0] ^= 1
    elif status == Status.TOO_LONG:
        words = card.max_body + 1
        packet[4:6] = words.to_bytes(2, "little")
    elif status == Status.BAD_TYPE:
        packet = bytearray(encode(Kind.ATOM, [card.types << 54], number))
        words = 1
    else:
        packet = packet[:64]
    return bytes(packet), words


def stream(card: Configuration, seed: int, length: int = 50) -> tuple[list[bytes], Any]:
    """Transfers of atoms, faults and loads without rows at random, and the same for the simulator."""
    rng, transfer, transfers, rows = np.random.default_rng(seed), b"", list[bytes](), list[list[int]]()
    begun = False
    longest = int(rng.choice([2, 9, card.max_neighbors]))

    def send(data: bytes, row: list[int], ends: bool) -> None:
        nonlocal transfer
        transfer += data
        rows.append(row)
        if ends:
            transfers.append(transfer)
            transfer = b""

    for number in range(1, length + 1):
        choice, ends = rng.random(), bool(rng.random() < 0.2) or number == length
        if number <= 2 or choice < 0.1:  # a load is two packets, or one that is refused
            first = number == 1 or choice < 0.05
            body = [card.identity] if first else [0 if number == 2 or choice < 0.08 else 5]
            data = encode(Kind.LOAD_BEGIN if first else Kind.LOAD_END, body, number)
            loaded, begun = not first and begun and body == [0], first
            send(data, [Kind.LOAD_BEGIN if first else Kind.LOAD_END, 0, int(loaded), 1, 1], ends)
        elif choice < 0.2:
            status = FAULTS[rng.integers(len(FAULTS))]
            data, words = spoiled(card, status, number)
            skipped = 64 * int(rng.integers(0, 4)) if status in FAULTS[:3] else 0
            end = status != Status.BAD_TYPE or ends
            data += rng.bytes(skipped)
            send(data, [Kind.ATOM, status, 0, words, len(data) // 64], end)
        else:
            words = int(rng.integers(0, longest + 1))
            send(encode(Kind.ATOM, [0] * words, number), [Kind.ATOM, 0, 0, words, int(packet_beats(words))], ends)
    kind, status, loaded, words, beats = np.array(rows).T
    return transfers, packets(kind, status, words, beats, loaded)


def bus_beats(transfers: list[bytes]) -> list[dict[str, int]]:
    return [
        {"s_data": int.from_bytes(data[at : at + 64], "little"), "s_last": int(at + 64 == len(data))}
        for data in transfers
        for at in range(0, len(data), 64)
    ]


@pytest.mark.parametrize("traffic", TRAFFIC, ids=str)
@pytest.mark.parametrize("name", CARDS)
def test_every_cycle(name: str, traffic: tuple[float, float]) -> None:
    card, (idle, stall) = CARDS[name], traffic
    module, sizes = bus_module(card), CardSizes.from_parameters(card.parameters, loaded=False)
    for seed in range(10):
        transfers, rows = stream(card, zlib.crc32(name.encode()) + seed)
        trace = simulate_card(sizes, rows, seed=seed, idle=idle, stall=stall, keep="beats")
        run = module.run(
            bus_beats(transfers), trace.bus_out, seed=seed, idle=idle, stall=stall, statics=dict.fromkeys(BUS, 0)
        )
        assert trace.entered.tolist() == run.entered, seed
        assert trace.left.tolist() == run.left, seed
        ends = [cycle for cycle, beat in zip(run.left, run.beats, strict=True) if beat["m_last"]]
        assert trace.packets[:, -1].tolist() == ends


PIPELINE = "i_core.i_pipeline."
ENDS = {
    "checked": ("i_core.i_in.finish",),
    "dispatched": ("i_core.i_dispatch.h_ready",),
    "answered": ("i_core.i_out.p_ready",),
    "neighbors in": tuple(PIPELINE + name for name in ("s_valid", "s_ready", "s_last")),
    "neighbors out": tuple(PIPELINE + name for name in ("n_take", "n_last")),
    "network in": tuple(PIPELINE + name for name in ("d_valid", "d_ready")),
    "network out": tuple(PIPELINE + name for name in ("net_valid", "net_ready", "net_last")),
    "gradient in": tuple(PIPELINE + name for name in ("rows_take", "rows_last")),
    "forces in": tuple(PIPELINE + name for name in ("enter", "w_last")),
    "forces out": tuple(PIPELINE + name for name in ("m_valid", "m_ready", "m_last")),
}
"""Signals that are all high where the end of a packet passes a place."""
FILLED = {
    "headers": "i_core.i_in.i_headers.count",
    "records of answers": "i_core.i_dispatch.i_records.count",
    "atoms in flight": "i_core.i_dispatch.in_flight",
    "neighbors": "i_core.i_pipeline.i_wait.count",
    "atoms behind the descriptor": "i_core.i_pipeline.i_records.count",
}


@pytest.mark.parametrize("traffic", [(0.0, 0.0), (0.0, 0.6), (0.3, 0.3)], ids=str)
@pytest.mark.parametrize("name", ["two lanes", "little room"])
def test_places_inside(name: str, traffic: tuple[float, float], tmp_path: Path) -> None:
    """Every packet passes every block in the cycle that the simulator says, and stores are as full."""
    card, (idle, stall) = CARDS[name], traffic
    sizes = CardSizes.from_parameters(card.parameters, loaded=False)
    transfers, rows = stream(card, 77)
    trace = simulate_card(sizes, rows, seed=5, idle=idle, stall=stall, keep="beats")
    module, waves = replace(bus_module(card), trace=True), tmp_path / "waves.vcd"
    rest = {"statics": dict.fromkeys(BUS, 0), "seed": 5, "idle": idle, "stall": stall}
    module.run(bus_beats(transfers), trace.bus_out, waves=waves, **rest)
    found = signals(waves, {signal for group in (*ENDS.values(), FILLED.values()) for signal in group})
    for place, group in ENDS.items():
        cycles = np.flatnonzero(np.all([found[signal] for signal in group], axis=0))
        if place == "network in":  # its stream marks no end
            beats = -(-card.m1 * card.m2 // card.fitting_lanes)
            cycles = cycles[beats - 1 :: beats]
        inside = place in PLACES
        column = (PLACES if inside else PACKET_PLACES).index(place)
        wanted = trace.atoms[:, column] if inside else trace.packets[:, column]
        assert cycles.tolist() == wanted.tolist(), place
    for store, signal in FILLED.items():
        assert found[signal].max() == trace.most[store] > 0, store
