"""Packets and answers of fixed length: those of the stream protocol, filled up with zeros to whole frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nvnmd.fpga.hls.sizes import HALF_WORDS, Sizes
from nvnmd.fpga.stream import Answer, Kind, Status, decode, encode_answer, encode_atom
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.reference import AtomInput, evaluate_atom

Frames = np.ndarray[Any, np.dtype[np.uint32]]


def frames(packets: Sequence[bytes], beats: int) -> Frames:
    """uint32 ``[packets, 16 · beats]``; what does not fit is cut off."""
    size = 4 * HALF_WORDS * beats
    filled = b"".join(packet[:size].ljust(size, b"\0") for packet in packets)
    return np.frombuffer(filled, "<u4").reshape(len(packets), -1)


def packet_frames(atoms: Sequence[AtomInput], sizes: Sizes, first: int = 1) -> Frames:
    """Packets of atoms, numbered from ``first``.

    Raises:
        StreamError: a word that does not fit its field.
    """
    return frames([encode_atom(atom, first + n) for n, atom in enumerate(atoms)], sizes.packet_beats)


def answer_frames(model: IntegerModel, atoms: Sequence[AtomInput], sizes: Sizes, first: int = 1) -> Frames:
    """What the integer reference answers to ``packet_frames``."""
    packets = []
    for number, atom in enumerate(atoms, start=first):
        result = evaluate_atom(model, atom)
        counts = {**result.clipped, "too close": result.too_close}
        packets.append(encode_answer(Answer(Kind.ATOM, Status.OK, number, result.energy, result.force, counts)))
    return frames(packets, sizes.answer_beats)


def read_answers(answers: Frames) -> list[Answer]:
    """Answers of frames.

    Raises:
        StreamError: a frame that holds no valid answer.
    """
    return [next(decode(frame.astype("<u4").tobytes())) for frame in answers]


def read_frames(path: Path) -> Frames:
    """Frames of a file with one frame a line, words in hexadecimal."""
    return np.array([[int(word, 16) for word in line.split()] for line in path.read_text().splitlines()], np.uint32)
