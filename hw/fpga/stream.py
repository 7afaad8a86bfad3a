"""The stream protocol between host and card (docs/stream.md): packets as bytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from nvnmd.fpga.errors import FpgaError
from nvnmd.quantize.fixed import STAGES
from nvnmd.quantize.reference import AtomInput

MAGIC, VERSION, REPLY = 0x564E, 1, 0x80
PACKET_BYTES = 64
"""Packets are multiples of this."""
DX_BITS, TYPE_BITS = 18, 5
COUNTS = (*STAGES, "too close")
"""Counts of an answer, in order."""


class Kind(IntEnum):
    """What a packet is."""

    ATOM = 1
    LOAD_BEGIN = 2
    LOAD_ROWS = 3
    LOAD_END = 4


class Status(IntEnum):
    """What the card says about a packet."""

    OK = 0
    NO_MODEL = 1
    BAD_CHECKSUM = 2
    BAD_HEADER = 3
    TOO_LONG = 4
    BAD_TYPE = 5
    TRUNCATED = 6
    BAD_LOAD = 7


class StreamError(FpgaError):
    """Bytes that are no valid packet, or words that do not fit one."""


@dataclass(frozen=True)
class Answer:
    """The card's answer to one packet.

    Attributes:
        kind, status, sequence: of the packet that is answered.
        energy: ``E_i``, ``e_frac`` fraction bits.
        force: int64 [n, 3], ``f_frac`` fraction bits, in the order of the neighbors sent.
        counts: words clipped by stage, and neighbors too close, by the names of ``COUNTS``.
    """

    kind: Kind
    status: Status
    sequence: int
    energy: int
    force: Any
    counts: dict[str, int]


def encode_atom(atom: AtomInput, sequence: int) -> bytes:
    """Packet of one atom.

    Raises:
        StreamError: a displacement or a type does not fit its field.
    """
    x, types = np.asarray(atom.displacement, np.int64).reshape(-1, 3), np.asarray(atom.neighbor_type, np.int64)
    if not (np.abs(x) < 1 << (DX_BITS - 1)).all():
        raise StreamError(f"packet {sequence}: a displacement does not fit {DX_BITS} bits; is it inside the cutoff?")
    if not ((types >= 0) & (types < 1 << TYPE_BITS)).all():
        raise StreamError(f"packet {sequence}: a neighbor's type does not fit {TYPE_BITS} bits")
    fields = np.concatenate([x & ((1 << DX_BITS) - 1), types[:, None]], axis=1).astype(np.uint64)
    shifts = (np.arange(4) * DX_BITS).astype(np.uint64)
    return encode(Kind.ATOM, np.bitwise_or.reduce(fields << shifts, axis=1), sequence, atom.center_type)


def encode(kind: Kind, body: Sequence[int] | Any, sequence: int, center_type: int = 0) -> bytes:
    """Packet of any kind from the words of its body.

    Raises:
        StreamError: the body is longer than a count can say.
    """
    n = len(body)
    if n >= 1 << 16:
        raise StreamError(f"packet {sequence}: {n} body words do not fit one packet")
    words = np.zeros(8 * -(-(n + 2) // 8), np.dtype("<u8"))
    words[0] = MAGIC | kind << 16 | center_type << 24 | n << 32 | VERSION << 48
    words[1 : n + 1] = body
    words[-1] = sequence
    return _seal(words)


def _seal(words: Any) -> bytes:
    words[-1] |= np.uint64(zlib.crc32(words.tobytes()) << 32)
    return words.tobytes()


def encode_answer(answer: Answer) -> bytes:
    """Packet of an answer, as a card writes it; what fake cards and tests compare with."""
    n = len(answer.force)
    words = np.zeros(8 * -(-(2 * n + 6) // 8), np.dtype("<u8"))
    words[0] = MAGIC | (answer.kind | REPLY) << 16 | answer.status << 24 | n << 32 | VERSION << 48
    words[1] = answer.energy & (1 << 64) - 1
    words[2 : 2 * n + 2].view("<i4").reshape(n, 4)[:, :3] = answer.force
    words[-4:-1] = np.array([answer.counts[name] for name in COUNTS], "<u2").view("<u8")
    words[-1] = answer.sequence
    return _seal(words)


def answer_bytes(neighbors: int) -> int:
    """Length of the answer to an atom with so many neighbors."""
    return PACKET_BYTES * -(-(2 * neighbors + 6) // 8)


def decode(data: bytes) -> Iterator[Answer]:
    """Yield the answers in ``data``.

    Raises:
        StreamError: naming the packet, counted from 0, that is truncated, corrupt or no answer.
    """
    at = number = 0
    while at < len(data):
        try:
            answer, length = _decode_one(data[at:])
        except StreamError as error:
            raise StreamError(f"answer {number}, byte {at}: {error}") from error
        yield answer
        at, number = at + length, number + 1


def _decode_one(data: bytes) -> tuple[Answer, int]:
    if len(data) < PACKET_BYTES:
        raise StreamError(f"{len(data)} bytes are less than the shortest packet")
    header = int.from_bytes(data[:8], "little")
    magic, kind, status, n, version = (header >> at & top for at, top in _HEADER_FIELDS)
    if magic != MAGIC or version != VERSION:
        raise StreamError(f"no packet starts here (magic {magic:#x}, version {version})")
    length = answer_bytes(n)
    if len(data) < length:
        raise StreamError(f"truncated: {len(data)} of {length} bytes")
    words = np.frombuffer(data[:length], "<u8")
    if zlib.crc32(data[: length - 4] + b"\0\0\0\0") != int(words[-1]) >> 32:
        raise StreamError("the checksum is wrong")
    try:
        what, said = Kind(kind ^ REPLY), Status(status)
    except ValueError as error:
        raise StreamError(f"unknown kind or status ({error})") from error
    counts = dict(zip(COUNTS, words[-4:-1].view("<u2").tolist(), strict=True))
    force = words[2 : 2 * n + 2].view("<i4").reshape(n, 4)[:, :3].astype(np.int64)
    energy = int(words[1:2].view("<i8")[0])
    return Answer(what, said, int(words[-1]) & 0xFFFFFFFF, energy, force, counts), length


_HEADER_FIELDS = ((0, 0xFFFF), (16, 0xFF), (24, 0xFF), (32, 0xFFFF), (48, 0xFF))
