"""The card from packets to answers: every byte equals what the reference would answer."""

import functools
import operator
from typing import Any

import numpy as np
import pytest
from card_cases import answer, loaded, play, short
from pipeline_cases import random_mix
from rtl_cases import TRAFFIC, small_model

from nvnmd.fpga.configuration import Configuration, configuration_for
from nvnmd.fpga.load import encode_load
from nvnmd.fpga.stream import Kind, Status, encode, encode_atom
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.reference import AtomInput
from nvnmd.quantize.testing import crystal, liquid, random_model

pytestmark = pytest.mark.hw
MODEL = small_model(gated=True)
LANES = [1, 2, 4]


def card(lanes: int) -> Configuration:
    """Room for the small model and for one with fewer tables; an odd number of words in the fitting network."""
    return configuration_for(MODEL, neighbor_lanes=lanes, fitting_lanes=3, feature_tables=4, atoms=8, max_neighbors=64)


def other_model() -> IntegerModel:
    """One type, no gates, no guard: smaller in every memory."""
    return random_model(9, m1=4, m2=2, neuron=(8, 8), type_map=("Sb",), guard=False)


def atom_packets(atoms: list[AtomInput], first: int) -> list[bytes]:
    return [encode_atom(atom, first + n) for n, atom in enumerate(atoms)]


def answers(model: IntegerModel, atoms: list[AtomInput], first: int) -> list[bytes]:
    return [answer(model, atom, first + n) for n, atom in enumerate(atoms)]


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("lanes", LANES)
def test_random_atoms(lanes: int, traffic: dict[str, Any]) -> None:
    load, atoms = encode_load(MODEL, card(lanes)), random_mix(MODEL.n_types, most=64)
    first = len(load) + 1
    transfers = [b"".join(load), *atom_packets(atoms[:5], first), b"".join(atom_packets(atoms[5:], first + 5))]
    play(card(lanes), transfers, loaded(load) + answers(MODEL, atoms, first), **traffic)


@pytest.mark.parametrize("lanes", LANES)
def test_answers_end_where_the_transfers_end(lanes: int) -> None:
    """One end a transfer, whatever is wrong in it, so that a host reads the answers to a transfer at once."""
    load, atoms = encode_load(MODEL, card(lanes)), random_mix(MODEL.n_types, most=20)
    first = len(load) + 1
    packets, replies = atom_packets(atoms, first), answers(MODEL, atoms, first)
    bad, refusal = spoiled(packets[4], "checksum")
    half, cut = spoiled(next(packet for packet in packets if len(packet) > 64), "cut")
    transfers = [b"".join(load), b"".join(packets[:3]), packets[3], packets[5] + bad + packets[6], packets[7] + half]
    wanted = [loaded(load), replies[:3], [replies[3]], [replies[5], refusal], [replies[7], cut]]
    run = play(card(lanes), transfers, functools.reduce(operator.iadd, wanted, []), idle=0.1, stall=0.2)
    ends = [beat["m_end"] for beat in run.beats if beat["m_last"]]
    assert ends == functools.reduce(operator.iadd, [[0] * (len(group) - 1) + [1] for group in wanted], [])
    assert sum(beat["m_end"] for beat in run.beats) == len(transfers)


@pytest.mark.parametrize("structure", [crystal, liquid])
@pytest.mark.parametrize("lanes", [1, 4])
def test_atoms_of_a_structure(lanes: int, structure: Any) -> None:
    load, atoms = encode_load(MODEL, card(lanes)), structure(MODEL)
    first = len(load) + 1
    data = b"".join(load + atom_packets(atoms, first))
    play(card(lanes), [data], loaded(load) + answers(MODEL, atoms, first), idle=0.1, stall=0.2)


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_one_model_after_the_other_with_atoms_in_flight(traffic: dict[str, Any]) -> None:
    lanes, atoms, packets, wanted = 4, random_mix(1, most=40), list[bytes](), list[bytes]()
    models = [MODEL, other_model(), small_model(3, gated=True)]
    for model in models:
        load = encode_load(model, card(lanes), len(packets) + 1)
        wanted += loaded(load, len(packets) + 1)
        packets += load
        wanted += answers(model, atoms, len(packets) + 1)
        packets += atom_packets(atoms, len(packets) + 1)
    assert len({wanted[n] for n, packet in enumerate(packets) if packet[2] == Kind.ATOM}) == 3 * len(atoms)
    play(card(lanes), [b"".join(packets)], wanted, **traffic)


@pytest.mark.parametrize(
    "damage", ["no end", "a row short", "wrong count", "wrong card", "no begin", "corrupt row", "half a row"]
)
def test_a_load_that_goes_wrong_leaves_no_model(damage: str) -> None:
    """The atom behind is refused, although a model was loaded before; a whole load heals it."""
    lanes = 1
    good, atom = encode_load(MODEL, card(lanes)), random_mix(MODEL.n_types, most=20)[4]
    bad, kinds = list(good), [Kind(packet[2]) for packet in good]
    said = [Status.OK] * len(bad)
    if damage == "no end":
        bad, said = bad[:-1], said[:-1]
    elif damage == "a row short":
        bad, kinds, said = bad[:5] + bad[6:], kinds[:5] + kinds[6:], [*said[:-2], Status.BAD_LOAD]
    elif damage == "wrong count":
        bad[-1], said[-1] = encode(Kind.LOAD_END, [1], len(bad)), Status.BAD_LOAD
    elif damage == "wrong card":
        bad[0], said = encode(Kind.LOAD_BEGIN, [card(lanes).identity ^ 1], 1), [Status.BAD_LOAD] * len(bad)
    elif damage == "no begin":
        bad, kinds, said = bad[1:], kinds[1:], [Status.BAD_LOAD] * (len(bad) - 1)
    elif damage == "corrupt row":
        bad[3] = bad[3][:20] + bytes([bad[3][20] ^ 4]) + bad[3][21:]
        said[3], said[-1] = Status.BAD_CHECKSUM, Status.BAD_LOAD
    else:
        bad[3] = encode(Kind.LOAD_ROWS, [1 | 2 << 8, 5], 4)
        said[3:] = [Status.BAD_LOAD] * len(said[3:])
    numbers = [int.from_bytes(packet[-8:-4], "little") for packet in bad]
    if damage == "corrupt row":
        numbers[3] = 0
    wanted = [*loaded(good), answer(MODEL, atom, 9)]
    wanted += [short(*words) for words in zip(kinds, said, numbers, strict=False)]
    wanted += [short(Kind.ATOM, Status.NO_MODEL, 9), *loaded(good), answer(MODEL, atom, 9)]
    packet = encode_atom(atom, 9)
    transfers = [b"".join([*good, packet]), *bad, packet, *good, packet]
    play(card(lanes), transfers, wanted, idle=0.1, stall=0.1)


def spoiled(packet: bytes, how: str) -> tuple[bytes, bytes]:
    """A packet with a fault, and the answer to it."""
    words = np.frombuffer(packet, "<u8").copy()
    n = int.from_bytes(packet[-8:-4], "little")
    rebuilt = {
        "magic": (words[0] ^ np.uint64(1), Status.BAD_HEADER),
        "version": (words[0] ^ np.uint64(1 << 48), Status.BAD_HEADER),
        "reserved": (words[0] ^ np.uint64(1 << 60), Status.BAD_HEADER),
        "count": (words[0] | np.uint64(0x8000 << 32), Status.TOO_LONG),
        "checksum": (words[0], Status.BAD_CHECKSUM),
        "cut": (words[0], Status.TRUNCATED),
    }
    if how in rebuilt:
        words[0], status = rebuilt[how]
        words[-1] ^= np.uint64(1 << 40 if how == "checksum" else 0)
        return words.tobytes()[: -64 if how == "cut" else None], short(Kind.ATOM, status, 0)
    if how == "kind":
        return encode(Kind.ATOM, [], n).replace(b"NV\x01", b"NV\x05", 1), short(5, Status.BAD_HEADER, 0)
    atom = encode(Kind.ATOM, [MODEL.n_types << 54 if how == "neighbor type" else 0], n, MODEL.n_types * (how == "type"))
    if how == "flag":
        atom = encode(Kind.ATOM, [1 << 60], n)
    return atom, short(Kind.ATOM, Status.BAD_TYPE, n)


FAULTS = ["magic", "version", "reserved", "count", "checksum", "cut", "kind", "type", "neighbor type", "flag"]
RESYNCHRONIZES = {"magic", "version", "reserved", "count", "checksum", "kind"}


@pytest.mark.parametrize("lanes", LANES)
def test_damaged_packets(lanes: int) -> None:
    """Each fault is named and harms no other packet but those behind it in its transfer, and those only if it must."""
    rng, load = np.random.default_rng(lanes), encode_load(MODEL, card(lanes))
    atoms = [atom for atom in random_mix(MODEL.n_types, most=64) if len(atom.neighbor_type) > 6]
    transfers, wanted, n = [b"".join(load)], loaded(load), len(load)
    for how in rng.permutation(FAULTS * 4):
        before, behind = rng.integers(0, 3, 2)
        good = [atoms[at] for at in rng.integers(0, len(atoms), before + 1 + behind)]
        packets = atom_packets(good, n + 1)
        replies = answers(MODEL, good, n + 1)
        n += len(good)
        packets[before], replies[before] = spoiled(packets[before], str(how))
        if how in RESYNCHRONIZES:
            replies = replies[: before + 1]
        if how == "cut":
            transfers.append(b"".join(packets[: before + 1]))
            packets = packets[before + 1 :]
        transfers += [b"".join(packets)] if packets else []
        wanted += replies
    play(card(lanes), transfers, wanted, idle=0.2, stall=0.3, seed=lanes)
