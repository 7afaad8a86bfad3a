"""Models, atoms and beats for tests of the assembled pipeline."""

from typing import Any

import numpy as np

from nvnmd.fpga.pipeline import constants, rows, sizes
from nvnmd.fpga.verilate import Module, StreamRun, pack, unpack
from nvnmd.quantize.fixed import STAGES
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.reference import AtomInput, evaluate_atom
from nvnmd.quantize.testing import random_atoms

EMPTY = np.zeros((0, 3), np.int64)


def module(model: IntegerModel, **build: int) -> Module:
    """atom_pipeline for a model; ``build`` has LANES, NET_LANES and other parameters."""
    return Module(
        "atom_pipeline",
        inputs=("s_last", "s_none", "s_center", "s_type", "s_dx"),
        outputs=("m_last", "m_none", "m_force", "m_energy", "m_clips", "m_too_close"),
        statics=tuple(constants(model)),
        config=("cfg_valid", "cfg_unit", "cfg_part", "cfg_layer", "cfg_output", "cfg_row", "cfg_data"),
        parameters=sizes(model) | build,
    )


def writes(model: IntegerModel, net_lanes: int) -> list[dict[str, int]]:
    """Everything that a model writes into the pipeline."""
    sized = sizes(model)
    found = rows(model, net_lanes, sized["SEGMENTS"], sized["GUARD_SEGMENTS"])
    return [{f"cfg_{name}": word for name, word in row._asdict().items()} for row in found]


def beats_of(model: IntegerModel, atom: AtomInput, lanes: int) -> tuple[list[dict[str, int]], Any]:
    """Beats of one atom and the place ``beat * lanes + lane`` of each neighbor.

    Where lanes stay empty, which ones is random, and their words are noise.
    """
    n = len(atom.neighbor_type)
    count = max(1, -(-n // lanes))
    rng = np.random.default_rng(n)
    place = np.sort(rng.permutation(count * lanes)[:n])
    none, kind = np.ones(count * lanes, int), rng.integers(0, model.n_types, count * lanes)
    dx = rng.integers(-(2**17), 2**17, (count * lanes, 3))
    none[place], kind[place], dx[place] = 0, atom.neighbor_type, atom.displacement
    type_bits = max(1, (model.n_types - 1).bit_length())
    beats = [
        {
            "s_last": int(at + lanes == count * lanes),
            "s_none": pack(none[at : at + lanes], 1),
            "s_center": atom.center_type,
            "s_type": pack(kind[at : at + lanes], type_bits),
            "s_dx": pack(dx[at : at + lanes].reshape(-1), 18),
        }
        for at in range(0, count * lanes, lanes)
    ]
    return beats, place


def random_mix(n_types: int, most: int) -> list[AtomInput]:
    """Random atoms, some of them crowded, bare, or with one neighbor, and neighbors that are too close."""
    near = np.array([[0, 0, 0], [3, -2, 1], [30000, 0, 0], [-131, 70, 2]])
    lone = AtomInput(0, EMPTY, np.zeros(0, np.int64))
    pair = AtomInput(n_types - 1, np.array([[20000, -30000, 9000]]), np.array([0]))
    some = random_atoms(9, 31, n_types, shortest_A=1.1, most=most)
    full = next(atom for atom in random_atoms(99, 32, n_types, most=most) if len(atom.neighbor_type) == most)
    close = AtomInput(0, near, np.zeros(4, np.int64))
    return [pair, lone, full, *some[:5], lone, lone, lone, pair, pair, pair, *some[5:], full, full, close]


def check(model: IntegerModel, atoms: list[AtomInput], run: StreamRun, lanes: int) -> dict[str, int]:
    """Compare every word of a run with the reference; return the clips of each stage over all atoms."""
    at, clipped = 0, dict.fromkeys((*STAGES, "too close"), 0)
    for number, atom in enumerate(atoms):
        beats, place = beats_of(model, atom, lanes)
        got = run.beats[at : at + len(beats)]
        at += len(beats)
        result = evaluate_atom(model, atom)
        assert [(b["m_last"], b["m_none"]) for b in got] == [(b["s_last"], b["s_none"]) for b in beats], number
        force = np.array([unpack(beat["m_force"], 32, 3 * lanes) for beat in got]).reshape(-1, 3)
        assert np.array_equal(force[place], result.force), number
        assert all(unpack(beat["m_energy"], 64, 1) == [result.energy] for beat in got), number
        counts = dict(zip(STAGES, unpack(got[-1]["m_clips"], 16, 11), strict=True))
        assert counts == result.clipped, number
        assert got[-1]["m_too_close"] == result.too_close, number
        assert not any(b["m_clips"] or b["m_too_close"] for b in got[:-1])
        clipped = {name: count + (counts | {"too close": result.too_close})[name] for name, count in clipped.items()}
    assert at == len(run.beats)
    return clipped
