"""fitting_net against the reference: gradients, energy and clip counts of atom after atom."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from rtl_cases import TRAFFIC, parts

from nvnmd.fpga.memory import fitting_rows
from nvnmd.fpga.verilate import Module, StreamRun, pack, unpack
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.reference import AtomInput, AtomResult, evaluate_atom
from nvnmd.quantize.testing import random_atoms, random_model
from nvnmd.quantize.validation import all_shifts

pytestmark = pytest.mark.hw


@cache
def case(name: str) -> tuple[IntegerModel, int]:
    """Model and lanes: widths that the lanes divide and widths they do not, with and without skip, 1 … 3 types."""
    sizes: dict[str, Any] = {
        "even": {"m1": 4, "m2": 2, "neuron": (8, 8)},
        "uneven": {"m1": 5, "m2": 2, "neuron": (7, 7, 7), "type_map": ("Ge", "Sb", "Te")},
        "plain": {"m1": 4, "m2": 2, "neuron": (6, 6), "skip": False, "type_map": ("Sb",)},
        "one layer": {"m1": 4, "m2": 2, "neuron": (8,)},
    }[name]
    return random_model(5, **sizes), {"even": 2, "uneven": 3, "plain": 4, "one layer": 8}[name]


def saturating(model: IntegerModel) -> IntegerModel:
    """The same model with so many fraction bits in activations and gradients that both clip."""
    f = model.formats
    up = 2
    act = (f.act_frac[0], *(n + up for n in f.act_frac[1:]))
    weight_frac = (f.weight_frac[0], *(n - up for n in f.weight_frac[1:]))
    formats = replace(
        f,
        act_frac=act,
        weight_frac=weight_frac,
        tanh_shift=f.tanh_shift - up,
        grad_frac=(*(n + 1 for n in f.grad_frac[:-1]), weight_frac[-1]),
    )
    tanh = np.clip(model.tanh_coef.astype(np.int64) * [1 << up, 1, 1], -32767, 32767).astype(np.int16)
    return replace(model, formats=formats, tanh_coef=tanh)


def module(model: IntegerModel, lanes: int) -> Module:
    return Module(
        "fitting_net",
        inputs=("s_type", "s_word"),
        outputs=("m_grad", "m_energy", "m_h_clips", "m_grad_clips", "m_last"),
        statics=("z_shift", "g_shift", "skip_shift", "tanh_shift", "e_shift"),
        config=("cfg_valid", "cfg_part", "cfg_layer", "cfg_output", "cfg_row", "cfg_data"),
        parameters={
            "LAYERS": model.n_layers,
            "INPUTS": model.m1 * model.m2,
            "WIDTH": model.weights[0].shape[1],
            "LANES": lanes,
            "TYPES": model.n_types,
            "SEG_BITS": model.formats.tanh_seg_bits,
            "SKIP": int(any(model.skip)),
        },
    )


def statics(model: IntegerModel) -> dict[str, int]:
    f, shifts, layers = model.formats, all_shifts(model.formats, model.n_layers), range(1, model.n_layers + 1)
    return {
        "z_shift": pack([shifts[f"z{layer}"] for layer in layers], 6),
        "g_shift": pack([shifts[f"g{layer}"] for layer in layers], 6),
        "skip_shift": pack([f.weight_frac[layer - 1] for layer in layers], 6),
        "tanh_shift": f.tanh_shift,
        "e_shift": shifts["E"],
    }


def play(model: IntegerModel, lanes: int, atoms: list[AtomInput], **traffic: Any) -> StreamRun:
    """Run the descriptors of atoms through the module."""
    stream = []
    for atom in atoms:
        descriptor = evaluate_atom(model, atom).trace["D"].reshape(-1)
        stream += [{"s_type": atom.center_type, "s_word": pack(words, 16)} for words in parts(descriptor, lanes)]
    config = [{f"cfg_{name}": word for name, word in row._asdict().items()} for row in fitting_rows(model, lanes)]
    return module(model, lanes).run(stream, len(stream), statics=statics(model), config=config, **traffic)


def check(model: IntegerModel, lanes: int, run: StreamRun, results: list[AtomResult]) -> None:
    """Every word of every beat equals the reference's."""
    width = model.m1 * model.m2
    beats = -(-width // lanes)
    assert [b["m_last"] for b in run.beats] == ([0] * (beats - 1) + [1]) * len(results)
    for n, result in enumerate(results):
        part = run.beats[n * beats : (n + 1) * beats]
        words = [word for beat in part for word in unpack(beat["m_grad"], 16, lanes)]
        assert words == [*result.trace["gD"].reshape(-1).tolist(), *[0] * (beats * lanes - width)]
        last = part[-1]
        assert unpack(last["m_energy"], 32, 1) == [int(result.trace["E_net"])]
        assert (last["m_h_clips"], last["m_grad_clips"]) == (result.clipped["H"], result.clipped["GRAD"])


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("name", ["even", "uneven", "plain", "one layer"])
def test_network(name: str, traffic: dict[str, Any]) -> None:
    model, lanes = case(name)
    atoms = random_atoms(24, 3, n_types=model.n_types)
    run = play(model, lanes, atoms, **traffic)
    check(model, lanes, run, [evaluate_atom(model, atom) for atom in atoms])


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("name", ["even", "uneven"])
def test_clips_are_counted_for_their_atom(name: str, traffic: dict[str, Any]) -> None:
    model, lanes = case(name)
    model = saturating(model)
    atoms = random_atoms(24, 3, n_types=model.n_types)
    results = [evaluate_atom(model, atom) for atom in atoms]
    counts = np.array([(r.clipped["H"], r.clipped["GRAD"]) for r in results])
    assert (counts.max(axis=0) > counts.min(axis=0)).all(), "atoms differ in both counts"
    check(model, lanes, play(model, lanes, atoms, **traffic), results)


@pytest.mark.parametrize("name", ["even", "uneven"])
def test_rate_and_latency(name: str) -> None:
    model, lanes = case(name)
    run = play(model, lanes, random_atoms(24, 3, n_types=model.n_types))
    inputs, width, layers = model.m1 * model.m2, model.weights[0].shape[1], model.n_layers
    widest, beats = max(inputs, width), -(-width // lanes)
    assert run.left[0] - run.entered[0] == -(-inputs // lanes) + 12 + (layers - 1) * (beats + 12) + 1 + layers * (
        beats + 7
    )
    last = [cycle for beat, cycle in zip(run.beats, run.left, strict=True) if beat["m_last"]]
    assert set(np.diff(last)) == {-(-widest // lanes)}, "an atom every ceil(width / LANES) cycles"
