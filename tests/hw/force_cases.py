"""Models, beats and expected words for the modules that compute forces."""

from dataclasses import replace
from typing import Any

import numpy as np

from nvnmd.fpga.pipeline import constants
from nvnmd.fpga.verilate import pack
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.reference import AtomInput, AtomResult, evaluate_atom
from nvnmd.quantize.testing import random_atoms

STAGES = ("A", "B", "V", "P", "F")
WORD_BITS = {"dx": 18, "feature": 16, "feature_slope": 16, "s_slope": 27, "h": 27, "h_slope": 27} | {
    "guard_slope": 27,
    "env": 16,
}
"""Width of each word of a neighbor in the wait."""
TRACE = {"dx": "x", "feature": "G", "feature_slope": "Gp", "s_slope": "sp", "h": "h", "h_slope": "hp"} | {
    "guard_slope": "guard_slope",
    "env": "R",
}
"""Name of each word in the reference's trace."""


def clipping(model: IntegerModel) -> IntegerModel:
    """The same model in units so small that words of every stage of the forces clip.

    It breaks the guarantees of a valid model, which the arithmetic of these modules does not need.
    """
    f = model.formats
    finer = {"a_frac": f.a_frac + 4, "b_frac": f.b_frac + 4, "v_frac": f.v_frac + 3, "p_frac": f.p_frac + 17}
    return replace(model, formats=replace(f, **finer, f_frac=f.f_frac + 20))


def atoms() -> list[AtomInput]:
    """Atoms with and without neighbors, some of them very close."""
    empty = AtomInput(1, np.zeros((0, 3), np.int64), np.zeros(0, np.int64))
    one = AtomInput(0, np.array([[30000, 20000, -9000]]), np.array([1]))
    return [one, empty, *random_atoms(5, 8, shortest_A=1.1, most=14), empty, *random_atoms(2, 9, most=30)]


def statics(model: IntegerModel) -> dict[str, int]:
    """Constants of force_stage."""
    return {port: constants(model)[port] for port in (*(f"{name.lower()}_shift" for name in STAGES), "align")}


def lanes_of(atom: AtomInput, lanes: int) -> tuple[int, Any]:
    """Beats of an atom, and the place ``beat * lanes + lane`` of each neighbor; the last lanes stay empty."""
    n = len(atom.neighbor_type)
    return max(1, -(-n // lanes)), np.arange(n)


def beats_of(result: AtomResult, atom: AtomInput, lanes: int) -> list[dict[str, int]]:
    """Beats of force_stage; the words of empty lanes are noise that must not count."""
    count, place = lanes_of(atom, lanes)
    rng = np.random.default_rng(count)
    m1 = result.trace["Y"].shape[1]
    y = pack(result.trace["Y"].T.reshape(-1), 16)
    widths = {"dx": 3, "env": 4, "feature": m1, "feature_slope": m1}
    words = {}
    for name, bits in WORD_BITS.items():
        shape = (len(place), widths.get(name, 1))
        words[name] = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (count * lanes, shape[1]))
        words[name][place] = np.asarray(result.trace[TRACE[name]]).reshape(shape)
    none = np.ones(count * lanes, int)
    none[place] = 0
    beats = []
    for at in range(0, count * lanes, lanes):
        part = slice(at, at + lanes)
        beat = {f"s_{name}": pack(value[part].reshape(-1), WORD_BITS[name]) for name, value in words.items()}
        last = int(at + lanes == count * lanes)
        beats.append(beat | {"s_y": y, "s_none": pack(none[part], 1), "s_last": last})
    return beats


def results(model: IntegerModel) -> list[tuple[AtomInput, AtomResult]]:
    """The atoms and what the reference makes of them."""
    return [(atom, evaluate_atom(model, atom)) for atom in atoms()]
