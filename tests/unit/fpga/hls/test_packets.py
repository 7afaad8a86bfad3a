"""Packets that are wrong get the answers that the card gives."""

from typing import Any

import numpy as np
import pytest
from hls_cases import edge_atoms, gated_model

from nvnmd.fpga.hls.csim import Csim
from nvnmd.fpga.hls.errors import HlsError
from nvnmd.fpga.hls.frames import answer_frames, frames
from nvnmd.fpga.stream import COUNTS, Answer, Kind, Status, encode, encode_answer, encode_atom

pytestmark = pytest.mark.xdist_group("hls")
NOTHING = np.zeros((0, 3), np.int64)


def refused(kind: Any, status: Status, sequence: int) -> bytes:
    return encode_answer(Answer(kind, status, sequence, 0, NOTHING, dict.fromkeys(COUNTS, 0)))


def resealed(words: Any, change: int, at: int = 0) -> bytes:
    """A packet with a changed word, and its checksum left as it was."""
    changed = words.copy()
    changed[at] ^= np.uint64(change)
    return bytes(changed.tobytes())


def cases(most: int) -> dict[str, tuple[bytes, bytes]]:
    """Packet and answer by what is wrong."""
    atom = edge_atoms(2, most=40)[2]
    good = encode_atom(atom, 7)
    words = np.frombuffer(good, "<u8")
    load = encode(Kind.LOAD_BEGIN, [1], 8)
    return {
        "magic": (resealed(words, 1), refused(Kind.ATOM, Status.BAD_HEADER, 0)),
        "version": (resealed(words, 1 << 48), refused(Kind.ATOM, Status.BAD_HEADER, 0)),
        "reserved": (resealed(words, 1 << 60), refused(Kind.ATOM, Status.BAD_HEADER, 0)),
        "kind": (resealed(words, 4 << 16), refused(5, Status.BAD_HEADER, 0)),
        "too long": (encode(Kind.ATOM, [0] * (most + 1), 7), refused(Kind.ATOM, Status.TOO_LONG, 0)),
        "checksum": (resealed(words, 1 << 40, -1), refused(Kind.ATOM, Status.BAD_CHECKSUM, 0)),
        "a word": (resealed(words, 1 << 3, 4), refused(Kind.ATOM, Status.BAD_CHECKSUM, 0)),
        "type": (encode(Kind.ATOM, [], 7, 2), refused(Kind.ATOM, Status.BAD_TYPE, 7)),
        "neighbor type": (encode(Kind.ATOM, [2 << 54], 7), refused(Kind.ATOM, Status.BAD_TYPE, 7)),
        "flag": (encode(Kind.ATOM, [1 << 60], 7), refused(Kind.ATOM, Status.BAD_TYPE, 7)),
        "load": (load, refused(Kind.LOAD_BEGIN, Status.BAD_LOAD, 8)),
    }


@pytest.mark.parametrize("wrong", list(cases(64)))
def test_a_wrong_packet_is_answered_and_the_next_one_served(simulation: Csim, wrong: str) -> None:
    sizes, good = simulation.sizes, edge_atoms(2, most=40)[2:3]
    packet, wanted = cases(sizes.max_neighbors)[wrong]
    got = simulation.play(frames([packet, encode_atom(good[0], 9)], sizes.packet_beats))
    assert np.array_equal(got[:1], frames([wanted], sizes.answer_beats))
    assert np.array_equal(got[1:], answer_frames(gated_model(), good, sizes, first=9))


def test_without_a_model_atoms_are_refused(simulation: Csim) -> None:
    assert simulation._load(b"packet_in_constants", np.zeros(1, np.int64).ctypes.data, 1) == 0
    got = simulation.play(frames([encode_atom(edge_atoms(2, most=40)[1], 5)], simulation.sizes.packet_beats))
    assert np.array_equal(got, frames([refused(Kind.ATOM, Status.NO_MODEL, 5)], simulation.sizes.answer_beats))


def test_the_interface_refuses_ports_and_frames_that_are_wrong(simulation: Csim) -> None:
    word = np.zeros(1, np.int64)
    assert simulation._load(b"no_such_port", word.ctypes.data, 1) == 1
    assert simulation._load(b"radial_rows", word.ctypes.data, 1) == 2
    with pytest.raises(HlsError, match="frames of"):
        simulation.play(np.zeros((1, 3), np.uint32))
