"""The C simulation of a project: compiled with g++, loaded into this process, fed with whole words."""

from __future__ import annotations

import ctypes
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nvnmd.fpga.hls.errors import HlsError
from nvnmd.fpga.hls.frames import Frames, packet_frames, read_answers
from nvnmd.fpga.hls.ports import port_words
from nvnmd.fpga.hls.project import RECORD
from nvnmd.fpga.hls.sizes import Sizes
from nvnmd.fpga.hls.tools import check_compiler
from nvnmd.fpga.stream import Answer
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.reference import AtomInput


def read_record(folder: Path) -> dict[str, Any]:
    """What a project was made from.

    Raises:
        HlsError: no project.
    """
    try:
        record = json.loads((folder / RECORD).read_text())
    except (OSError, ValueError) as error:
        raise HlsError(f"{folder}: no HLS project; 'nvnmd compile MODEL --target hls4ml' writes one") from error
    return dict(record)


def read_sizes(folder: Path) -> Sizes:
    """Sizes that a project holds.

    Raises:
        HlsError: no project, or one of another version.
    """
    written = read_record(folder).get("sizes", {})
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in written.items()}
    try:
        return Sizes(**fields)
    except TypeError as error:
        raise HlsError(f"{folder}: written by another version of nvnmd ({error}); write it again") from error


def library(folder: Path) -> Path:
    """Where the compiled simulation is, or will be."""
    return folder / "firmware" / f"{read_record(folder)['options']['name']}-csim.so"


def build_csim(folder: Path) -> Path:
    """Compile a project with hls4ml's script; what is compiled already is kept.

    Raises:
        HlsError: no project, no compiler, or the compiler's errors.
    """
    target = library(folder)
    if target.is_file():
        return target
    check_compiler()
    done = subprocess.run(["./build_lib.sh"], cwd=folder, capture_output=True, text=True)
    if done.returncode or not target.is_file():
        lines = [line for line in done.stderr.splitlines() if "error:" in line]
        raise HlsError(f"{folder}: g++ failed: {lines[0] if lines else done.stderr[-300:]}")
    return target


def open_csim(folder: Path, model: IntegerModel) -> Csim:
    """Compile if needed, and load a model.

    Raises:
        HlsError: as ``build_csim`` does, or the model does not fit.
    """
    sizes = read_sizes(folder)
    sizes.check(model)
    simulation = Csim(build_csim(folder), sizes)
    simulation.load(model)
    return simulation


class Csim:
    """A compiled project. Its memories are those of the library: two objects of one library share them."""

    def __init__(self, path: Path, sizes: Sizes) -> None:
        self.sizes = sizes
        try:
            self._library = ctypes.CDLL(str(path.resolve()))
            self._load, self._evaluate = self._library.nvnmd_load, self._library.nvnmd_evaluate
        except (OSError, AttributeError) as error:
            raise HlsError(f"{path}: no simulation of nvnmd ({error}); build it again") from error
        self._load.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_ulong]
        self._evaluate.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong]
        self._evaluate.restype = None

    def load(self, model: IntegerModel) -> None:
        """Write tables, weights and constants of a model into the ports.

        Raises:
            HlsError: the model does not fit, or the library is of another project.
        """
        for port, words in port_words(model, self.sizes).items():
            memory = np.ascontiguousarray(words, np.int64)
            if code := self._load(port.encode(), memory.ctypes.data, memory.size):
                what = "has no such port" if code == 1 else f"has a port that does not hold {memory.size} words"
                raise HlsError(f"the simulation {what}: {port}; build the project again")

    def play(self, packets: Frames) -> Frames:
        """Answers to packets: uint32 ``[packets, 16 · answer_beats]`` for uint32 ``[packets, 16 · packet_beats]``."""
        size = 16 * self.sizes.packet_beats
        if packets.ndim != 2 or packets.shape[1] != size:
            raise HlsError(f"packets must be frames of {size} words, not {packets.shape}")
        frames = np.ascontiguousarray(packets, np.uint32)
        answers = np.zeros((len(frames), 16 * self.sizes.answer_beats), np.uint32)
        self._evaluate(frames.ctypes.data, answers.ctypes.data, len(frames))
        return answers

    def evaluate(self, atoms: Sequence[AtomInput]) -> list[Answer]:
        """Energies, forces and counts of atoms.

        Raises:
            HlsError: an atom with more neighbors than the project holds.
        """
        for number, atom in enumerate(atoms):
            if len(atom.neighbor_type) > self.sizes.max_neighbors:
                raise HlsError(
                    f"atom {number} has {len(atom.neighbor_type)} neighbors; "
                    f"the project holds {self.sizes.max_neighbors}"
                )
        return read_answers(self.play(packet_frames(atoms, self.sizes)))
