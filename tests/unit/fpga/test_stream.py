"""The stream protocol: bytes of packets, round trips, and every way in which an answer can be damaged."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvnmd.fpga.stream import COUNTS, Answer, Kind, Status, StreamError, answer_bytes, decode, encode, encode_answer
from nvnmd.fpga.stream import encode_atom as atom_packet
from nvnmd.quantize.reference import AtomInput

INT32 = st.integers(-(2**31) + 1, 2**31 - 1)
ANSWERS = st.builds(
    lambda kind, status, sequence, energy, force, counts: Answer(
        kind, status, sequence, energy, np.array(force, np.int64).reshape(-1, 3), dict(zip(COUNTS, counts, strict=True))
    ),
    st.sampled_from(Kind),
    st.sampled_from(Status),
    st.integers(0, 2**32 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.lists(st.tuples(INT32, INT32, INT32), max_size=9),
    st.lists(st.integers(0, 65535), min_size=len(COUNTS), max_size=len(COUNTS)),
)


def some(n: int = 3) -> Answer:
    return Answer(
        Kind.ATOM, Status.OK, 7, -5, np.arange(3 * n).reshape(n, 3) - 4, dict(zip(COUNTS, range(12), strict=True))
    )


def test_an_atom_packet_word_for_word() -> None:
    x = np.array([[1, -1, 131071], [-131071, 0, 5]])
    data = atom_packet(AtomInput(3, x, np.array([0, 31])), 0xABCDEF01)
    words = np.frombuffer(data, "<u8").tolist()
    assert len(words) == 8
    assert words[0] == 0x564E | 1 << 16 | 3 << 24 | 2 << 32 | 1 << 48
    assert words[1] == 1 | 0x3FFFF << 18 | 131071 << 36
    assert words[2] == 131073 | 5 << 36 | 31 << 54
    assert words[3:7] == [0] * 4
    assert words[7] == 0xABCDEF01 | zlib.crc32(data[:60] + bytes(4)) << 32


@pytest.mark.parametrize(("body", "words"), [(0, 8), (6, 8), (7, 16), (14, 16), (15, 24)])
def test_packets_fill_beats(body: int, words: int) -> None:
    assert len(encode(Kind.LOAD_ROWS, range(body), 1)) == 8 * words


@pytest.mark.parametrize(("neighbors", "size"), [(0, 64), (1, 64), (2, 128), (5, 128), (6, 192)])
def test_answers_fill_beats(neighbors: int, size: int) -> None:
    assert len(encode_answer(some(neighbors))) == size == answer_bytes(neighbors)


@given(st.lists(ANSWERS, max_size=4))
def test_answers_come_back(answers: list[Answer]) -> None:
    got = list(decode(b"".join(map(encode_answer, answers))))
    assert [(a.kind, a.status, a.sequence, a.energy, a.counts) for a in got] == [
        (a.kind, a.status, a.sequence, a.energy, a.counts) for a in answers
    ]
    assert all(np.array_equal(a.force, b.force) for a, b in zip(got, answers, strict=True))


@given(st.integers(0, 8 * 128 - 1))
def test_a_flipped_bit_is_noticed(bit: int) -> None:
    data = bytearray(encode_answer(some()))
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(StreamError, match="answer 1, byte 128"):
        list(decode(encode_answer(some()) + bytes(data)))


@given(st.integers(1, 127))
def test_a_truncated_answer_is_noticed(size: int) -> None:
    with pytest.raises(StreamError, match=r"answer 0, byte 0: (truncated|.*shortest)"):
        list(decode(encode_answer(some())[:size]))


def test_words_that_do_not_fit() -> None:
    with pytest.raises(StreamError, match="packet 4: a displacement does not fit 18 bits"):
        atom_packet(AtomInput(0, np.array([[1 << 17, 0, 0]]), np.array([0])), 4)
    with pytest.raises(StreamError, match="packet 4: a neighbor's type"):
        atom_packet(AtomInput(0, np.array([[1, 0, 0]]), np.array([32])), 4)
    with pytest.raises(StreamError, match="65536 body words"):
        encode(Kind.LOAD_ROWS, range(65536), 0)
