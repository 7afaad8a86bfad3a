"""packet_in and packet_out, each by itself, against the bytes of nvnmd.fpga.stream."""

from typing import Any

import numpy as np
import pytest
from card_cases import NOTHING
from harnesses import harnessed
from rtl_cases import TRAFFIC

from nvnmd.fpga.stream import COUNTS, Answer, Kind, Status, encode, encode_answer
from nvnmd.fpga.verilate import pack

pytestmark = pytest.mark.hw
TYPES, MOST = 3, 20
HEADER = ("status", "kind", "type", "count", "sequence", "end")


def words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]


def atom(rng: np.random.Generator, neighbors: int, sequence: int, *, kind: Kind = Kind.ATOM) -> bytes:
    """A sound packet; neighbors of atoms have types that the card holds."""
    body = [int(rng.integers(0, 1 << 54)) | int(rng.integers(0, TYPES)) << 54 for _ in range(neighbors)]
    return encode(kind, body, sequence, int(rng.integers(0, TYPES)))


def flipped(packet: bytes, bit: int) -> bytes:
    return (int.from_bytes(packet, "little") ^ 1 << bit).to_bytes(len(packet), "little")


def transfers() -> list[tuple[bytes, list[tuple[Status, bytes]]]]:
    """Transfers, and of each the packets that are seen in it with their status."""
    rng = np.random.default_rng(0)
    sound = [atom(rng, n, 100 + n) for n in (0, 1, 2, 6, 7, 13, 14, MOST)]
    found: list[tuple[bytes, list[tuple[Status, bytes]]]] = []
    found.append((b"".join(sound), [(Status.OK, packet) for packet in sound]))
    load = encode(Kind.LOAD_ROWS, rng.integers(0, 1 << 63, 9).tolist(), 7)
    found.append((load, [(Status.OK, load)]))
    for bit in (64, 64 * 5 + 3, 8 * len(sound[4]) - 1):
        bad = flipped(sound[4], bit)
        found.append((sound[1] + bad + sound[2], [(Status.OK, sound[1]), (Status.BAD_CHECKSUM, bad)]))
    for bit in (0, 16 + 3, 48):
        bad = flipped(sound[5], bit)
        found.append((bad + sound[2], [(Status.BAD_HEADER, bad)]))
    long = atom(rng, MOST + 1, 8)
    found.append((long + sound[0], [(Status.TOO_LONG, long)]))
    found.append((sound[6][:64], [(Status.TRUNCATED, sound[6])]))
    wrong = encode(Kind.ATOM, [TYPES << 54], 9)
    strange = encode(Kind.ATOM, [], 10, TYPES)
    found.append(
        (wrong + strange + sound[3], [(Status.BAD_TYPE, p) for p in (wrong, strange)] + [(Status.OK, sound[3])])
    )
    return found


def expected(lanes: int) -> list[dict[str, int]]:
    """What the harness gives: the header of every packet, and the body of sound ones."""
    out = []
    for _, packets in transfers():
        for number, (status, packet) in enumerate(packets):
            w = words(packet)
            count, trusted = w[0] >> 32 & 0xFFFF, status in (Status.OK, Status.BAD_TYPE)
            out.append(
                {
                    "status": status,
                    "kind": w[0] >> 16 & 0xFF,
                    "type": w[0] >> 24 & 0xFF,
                    "count": count,
                    "sequence": w[-1] & 0xFFFFFFFF if trusted else 0,
                    "end": int(not trusted or number == len(packets) - 1),
                }
            )
            if status == Status.OK:
                out += body(w, count, lanes)
    return out


def body(w: list[int], count: int, lanes: int) -> list[dict[str, int]]:
    """Beats of the body: with one lane the header's beat has none, with more it is one of their lanes."""
    first = 1 if lanes == 1 and count else 0
    return [
        {
            "last": int(at + lanes > count),
            "none": pack([int(not 1 <= at + lane <= count) for lane in range(lanes)], 1),
            "word": pack(w[at : at + lanes], 64),
        }
        for at in range(first, count + 1, lanes)
    ]


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_what_packet_in_makes_of_packets(lanes: int, traffic: dict[str, Any]) -> None:
    module = harnessed(
        "packet_in_harness",
        ("s_data", "s_last"),
        tuple(f"m_{name}" for name in ("body", *HEADER, "last", "none", "word")),
        parameters={"LANES": lanes, "TYPES": TYPES, "MAX_BODY": MOST, "DEPTH": 32},
    )
    beats = [
        {"s_data": pack(w[at : at + lanes], 64), "s_last": int(at + lanes == len(w))}
        for w in (words(data) for data, _ in transfers())
        for at in range(0, len(w), lanes)
    ]
    wanted = expected(lanes)
    run = module.run(beats, len(wanted), **traffic)
    assert len(run.beats) == len(wanted)
    for number, (have, want) in enumerate(zip(run.beats, wanted, strict=True)):
        assert have["m_body"] == int("word" in want), number
        known = {key: value for key, value in want.items() if key != "type" or want["status"] == Status.OK}
        assert {key: have[f"m_{key}"] for key in known} == known, number


def answers() -> list[Answer]:
    rng = np.random.default_rng(1)
    found = []
    for sequence, n in enumerate((0, 1, 2, 3, 4, 5, 9, 16), start=5):
        counts = dict(zip(COUNTS, rng.integers(0, 1 << 16, len(COUNTS)).tolist(), strict=True))
        force = rng.integers(-(1 << 31), 1 << 31, (n, 3))
        found.append(Answer(Kind.ATOM, Status.OK, sequence, int(rng.integers(-(1 << 62), 1 << 62)), force, counts))
        found.append(Answer(Kind.LOAD_END, Status.BAD_LOAD, 77, 0, np.zeros((0, 3), np.int64), NOTHING))
    return found


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_the_answers_of_packet_out(lanes: int, traffic: dict[str, Any]) -> None:
    ports = ("result", "forces", "status", "kind", "count", "sequence", "end")
    ports += ("last", "none", "force", "energy", "counts")
    module = harnessed(
        "packet_out_harness",
        tuple(f"s_{port}" for port in ports),
        ("m_data", "m_last", "m_end"),
        parameters={"LANES": lanes},
    )
    beats: list[dict[str, int]] = []
    for number, answer in enumerate(answers()):
        idle = dict.fromkeys((f"s_{port}" for port in ports), 0)
        ok = int(answer.status == Status.OK)
        n = len(answer.force)
        beats.append(
            idle
            | {"s_forces": ok, "s_status": answer.status, "s_kind": answer.kind, "s_count": n if ok else 3}
            | {"s_sequence": answer.sequence, "s_end": number % 3 == 2}
        )
        beats += [idle | beat for beat in results(answer, lanes)] if ok else []
    wanted = b"".join(encode_answer(answer) for answer in answers())
    run = module.run(beats, len(wanted) // (16 * lanes), **traffic)
    assert b"".join(beat["m_data"].to_bytes(16 * lanes, "little") for beat in run.beats) == wanted
    ends = [beat["m_end"] for beat in run.beats if beat["m_last"]]
    assert ends == [int(number % 3 == 2) for number in range(len(answers()))]


def results(answer: Answer, lanes: int) -> list[dict[str, int]]:
    """Beats of a result: forces stand in the lanes of their neighbors, one later than the header with several lanes."""
    n, shift = len(answer.force), 0 if lanes == 1 else 1
    slots = max(1, -(-(n + shift) // lanes)) * lanes
    force = np.full((slots, 3), -7, np.int64)
    force[shift : shift + n] = answer.force
    none = np.ones(slots, int)
    none[shift : shift + n] = 0
    return [
        {
            "s_result": 1,
            "s_last": int(at + lanes == slots),
            "s_none": pack(none[at : at + lanes], 1),
            "s_force": pack(force[at : at + lanes].reshape(-1), 32),
            "s_energy": pack([answer.energy], 64),
            "s_counts": pack([answer.counts[name] for name in COUNTS], 16) if at + lanes == slots else 12345,
        }
        for at in range(0, slots, lanes)
    ]
