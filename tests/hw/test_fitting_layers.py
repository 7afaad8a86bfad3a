"""hidden_layer and backward_layer against sections 6 and 7 of the specification."""

from typing import Any

import numpy as np
import pytest
from rtl_cases import TRAFFIC, dense_writes, parts, small_model

from nvnmd.fpga.verilate import Module, StreamRun, pack, unpack
from nvnmd.quantize.fixed import clamp, rnd, sat
from nvnmd.quantize.reference import evaluate_atom, tanh_table
from nvnmd.quantize.testing import random_atoms
from nvnmd.quantize.validation import all_shifts

pytestmark = pytest.mark.hw
MODEL = small_model()
SHIFTS = all_shifts(MODEL.formats, MODEL.n_layers)
BACKWARD = ("cfg_output", "cfg_row", "cfg_weight")
DENSE = (*BACKWARD, "cfg_is_bias", "cfg_bias")


def hidden(layer: int, lanes: int) -> tuple[Module, list[dict[str, int]], dict[str, int]]:
    """Module, writes and constants of hidden layer 1 (no skip) or 2 (skip)."""
    weight, bias = MODEL.weights[layer - 1], MODEL.biases[layer - 1]
    module = Module(
        "hidden_layer",
        inputs=("s_type", "s_word"),
        outputs=("m_word", "m_phi", "m_clip", "m_type", "m_last"),
        statics=("z_shift", "tanh_shift"),
        config=("cfg_valid", "cfg_is_tanh", *DENSE, "cfg_tanh_row", "cfg_tanh_coef"),
        parameters=sizes(layer, weight.shape[2], weight.shape[1], lanes),
    )
    unused = {"cfg_is_tanh": 0, "cfg_tanh_row": 0, "cfg_tanh_coef": 0}
    writes = [unused | words for words in dense_writes(weight, bias, lanes)]
    no_dense = dict.fromkeys(DENSE, 0) | {"cfg_is_tanh": 1}
    for n, row in enumerate(MODEL.tanh_coef.tolist()):
        writes.append(no_dense | {"cfg_tanh_row": n, "cfg_tanh_coef": pack(row, 16)})
    return module, writes, {"z_shift": SHIFTS[f"z{layer}"], "tanh_shift": MODEL.formats.tanh_shift}


def backward(layer: int, lanes: int) -> tuple[Module, list[dict[str, int]], dict[str, int]]:
    """Module, writes and constants of the backward pass through a layer."""
    weight = MODEL.weights[layer - 1].transpose(0, 2, 1)
    module = Module(
        "backward_layer",
        inputs=("s_type", "s_grad", "s_phi"),
        outputs=("m_grad", "m_clip", "m_last"),
        statics=("g_shift", "skip_shift"),
        config=("cfg_valid", *BACKWARD),
        parameters=sizes(layer, weight.shape[2], weight.shape[1], lanes),
    )
    statics = {"g_shift": SHIFTS[f"g{layer}"], "skip_shift": MODEL.formats.weight_frac[layer - 1]}
    writes = dense_writes(weight, np.zeros(weight.shape[:2], int), lanes)
    return module, [words for words in writes if not words["cfg_is_bias"]], statics


def sizes(layer: int, inputs: int, outputs: int, lanes: int) -> dict[str, int]:
    return {
        "INPUTS": inputs,
        "OUTPUTS": outputs,
        "INPUT_LANES": lanes,
        "OUTPUT_LANES": lanes,
        "TYPES": MODEL.n_types,
        "SKIP": int(MODEL.skip[layer - 1]),
    }


def stream(types: Any, lanes: int, **ports: Any) -> list[dict[str, int]]:
    """Beats of vectors: each port is ``[vectors, words]``."""
    beats = []
    for n, t in enumerate(types):
        for cut in zip(*(parts(vectors[n], lanes) for vectors in ports.values()), strict=True):
            words = {port: pack(part, 16) for port, part in zip(ports, cut, strict=True)}
            beats.append({"s_type": int(t)} | words)
    return beats


def vectors_of(run: StreamRun, port: str, lanes: int, width: int, bits: int = 16) -> Any:
    """Vectors ``[vectors, width]``; words beyond the width must be zero."""
    beats = -(-width // lanes)
    got = np.array([unpack(beat[port], bits, lanes) for beat in run.beats]).reshape(-1, beats * lanes)
    assert port == "m_phi" or not got[:, width:].any()
    return got[:, :width]


def extreme(shape: tuple[int, int], seed: int) -> Any:
    """Words of the whole range, some vectors at its ends, so that sums saturate."""
    words = np.random.default_rng(seed).integers(-32767, 32768, shape)
    words[:2] = np.array([[32767], [-32767]])
    return words


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize(("layer", "lanes"), [(1, 2), (2, 2), (2, 3)])
def test_forward(layer: int, lanes: int, traffic: dict[str, Any]) -> None:
    module, writes, statics = hidden(layer, lanes)
    words = extreme((12, MODEL.weights[layer - 1].shape[2]), layer)
    types = np.arange(12) % 3 % 2
    weight, bias = MODEL.weights[layer - 1].astype(np.int64), MODEL.biases[layer - 1].astype(np.int64)
    z = np.stack([weight[t] @ word + bias[t] for t, word in zip(types, words, strict=True)])
    act, phi = tanh_table(MODEL, clamp(rnd(z, statics["z_shift"]), 16))
    h, clipped = sat(words + act, 16) if MODEL.skip[layer - 1] else (act, np.zeros(act.shape, bool))
    beats, out_beats = stream(types, lanes, s_word=words), -(-h.shape[1] // lanes)
    run = module.run(beats, out_beats * 12, statics=statics, config=writes, **traffic)
    assert np.array_equal(vectors_of(run, "m_word", lanes, h.shape[1]), h)
    assert np.array_equal(vectors_of(run, "m_phi", lanes, h.shape[1]), phi)
    assert np.array_equal(vectors_of(run, "m_clip", lanes, h.shape[1], 1) != 0, clipped)
    assert [beat["m_type"] for beat in run.beats] == np.repeat(types, out_beats).tolist()
    assert clipped.any() == MODEL.skip[layer - 1]
    if not traffic["idle"] and not traffic["stall"]:
        assert run.entered == list(range(len(beats))), "never waits"
        assert run.left[0] - run.entered[0] == -(-words.shape[1] // lanes) + 12


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize(("layer", "lanes"), [(1, 2), (2, 2), (2, 3)])
def test_backward_of_any_words(layer: int, lanes: int, traffic: dict[str, Any]) -> None:
    module, writes, statics = backward(layer, lanes)
    grad = extreme((12, MODEL.weights[layer - 1].shape[1]), layer)
    phi, types = np.abs(extreme(grad.shape, 5)), np.arange(12) % 3 % 2
    weight = MODEL.weights[layer - 1].astype(np.int64)
    gz = rnd(grad * phi, 15)
    total = np.stack([weight[t].T @ row for t, row in zip(types, gz, strict=True)])
    if MODEL.skip[layer - 1]:
        total = total + (grad << statics["skip_shift"])
    wanted, clipped = sat(rnd(total, statics["g_shift"]), 16)
    beats, out_beats = stream(types, lanes, s_grad=grad, s_phi=phi), -(-wanted.shape[1] // lanes)
    run = module.run(beats, out_beats * 12, statics=statics, config=writes, **traffic)
    assert np.array_equal(vectors_of(run, "m_grad", lanes, wanted.shape[1]), wanted)
    assert np.array_equal(vectors_of(run, "m_clip", lanes, wanted.shape[1], 1) != 0, clipped)
    assert clipped.any()
    if not traffic["idle"] and not traffic["stall"]:
        assert run.entered == list(range(len(beats))), "never waits"
        assert run.left[0] - run.entered[0] == -(-grad.shape[1] // lanes) + 7


@pytest.mark.parametrize("layer", [1, 2])
def test_the_words_of_real_atoms(layer: int) -> None:
    atoms, lanes = random_atoms(10, 21), 2
    traces = [evaluate_atom(MODEL, atom).trace for atom in atoms]
    types = [atom.center_type for atom in atoms]
    module, writes, statics = hidden(layer, lanes)
    words = np.stack([t["D"].reshape(-1) if layer == 1 else t[f"h{layer - 1}"] for t in traces])
    run = module.run(stream(types, lanes, s_word=words), 10 * 8 // lanes, statics=statics, config=writes)
    assert np.array_equal(vectors_of(run, "m_word", lanes, 8), np.stack([t[f"h{layer}"] for t in traces]))
    module, writes, statics = backward(layer, lanes)
    grad = np.stack([t.get(f"g{layer}", MODEL.out_weight[a]) for t, a in zip(traces, types, strict=True)])
    phi = np.stack([t[f"phi{layer}"] for t in traces])
    beats = stream(types, lanes, s_grad=grad, s_phi=phi)
    run = module.run(beats, 10 * 8 // lanes, statics=statics, config=writes)
    assert np.array_equal(vectors_of(run, "m_grad", lanes, 8), np.stack([t[f"g{layer - 1}"] for t in traces]))
