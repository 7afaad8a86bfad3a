"""fitting_layer and atom_descriptor: modules that tie others together, by themselves."""

from typing import Any

import numpy as np
import pytest
from harnesses import harnessed
from rtl_cases import TRAFFIC, parts, small_model
from test_descriptor_acc import COUNTS, X_BITS, atoms, beats_of

from nvnmd.fpga.memory import fitting_rows
from nvnmd.fpga.verilate import pack, unpack
from nvnmd.quantize.fixed import clamp, rnd, sat
from nvnmd.quantize.reference import tanh_table
from nvnmd.quantize.validation import all_shifts

pytestmark = pytest.mark.hw
MODEL = small_model()
SHIFTS = all_shifts(MODEL.formats, MODEL.n_layers)


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize(("layer", "lanes"), [(1, 2), (2, 3)])
def test_a_layer_in_both_directions(layer: int, lanes: int, traffic: dict[str, Any]) -> None:
    """The gradient of every atom is what the layer gave, so that each depends on the other."""
    weight, bias = MODEL.weights[layer - 1].astype(np.int64), MODEL.biases[layer - 1].astype(np.int64)
    types, outputs, inputs = weight.shape
    skip = MODEL.skip[layer - 1]
    module = harnessed(
        "fitting_layer_harness",
        ("s_type", "s_word"),
        ("m_word", "m_clips", "m_last"),
        statics=("z_shift", "tanh_shift", "g_shift", "skip_shift", "clips"),
        config=("cfg_valid", "cfg_part", "cfg_output", "cfg_row", "cfg_data"),
        parameters={"INPUTS": inputs, "OUTPUTS": outputs, "LANES": lanes, "TYPES": types, "SKIP": int(skip)},
    )
    rng = np.random.default_rng(layer)
    words, of = rng.integers(-32767, 32768, (14, inputs)), rng.integers(0, types, 14)
    words[:2] = np.array([[32767], [-32767]])
    z = np.stack([weight[t] @ word + bias[t] for t, word in zip(of, words, strict=True)])
    act, phi = tanh_table(MODEL, clamp(rnd(z, SHIFTS[f"z{layer}"]), 16))
    h, h_clip = sat(words + act, 16) if skip else (act, np.zeros(act.shape, bool))
    gz = rnd(h.astype(np.int64) * phi, 15)
    total = np.stack([weight[t].T @ row for t, row in zip(of, gz, strict=True)])
    total = total + (h.astype(np.int64) << MODEL.formats.weight_frac[layer - 1]) if skip else total
    g_shift = SHIFTS[f"g{layer}"] - 3  # so that gradients clip
    wanted, clip = sat(rnd(total, g_shift), 16)
    statics = {"z_shift": SHIFTS[f"z{layer}"], "tanh_shift": MODEL.formats.tanh_shift, "g_shift": g_shift}
    statics |= {"skip_shift": MODEL.formats.weight_frac[layer - 1], "clips": 5 << 16 | 3}
    config = [
        {"cfg_part": row.part, "cfg_output": row.output, "cfg_row": row.row, "cfg_data": row.data}
        for row in fitting_rows(MODEL, lanes)
        if row.layer == layer - 1 or row.part == 3
    ]
    stream = [
        {"s_type": int(t), "s_word": pack(cut, 16)}
        for t, row in zip(of, words, strict=True)
        for cut in parts(row, lanes)
    ]
    beats = -(-inputs // lanes)
    run = module.run(stream, beats * len(words), statics=statics, config=config, **traffic)
    got = np.array([unpack(beat["m_word"], 16, lanes) for beat in run.beats]).reshape(len(words), -1)
    assert np.array_equal(got[:, :inputs], wanted)
    counts = [beat["m_clips"] for beat in run.beats if beat["m_last"]]
    assert counts == [(5 + int(g.sum())) << 16 | 3 + int(f.sum()) for g, f in zip(clip, h_clip, strict=True)]
    assert clip.any()


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize(("columns", "lanes", "net_lanes"), [(1, 1, 3), (2, 2, 4), (4, 1, 5)])
def test_everything_a_descriptor_gives(columns: int, lanes: int, net_lanes: int, traffic: dict[str, Any]) -> None:
    m1, m2, shifts = 8, 2, {"x_shift": 17, "d_shift": 12}
    module = harnessed(
        "atom_descriptor_harness",
        ("s_env", "s_feature", "s_none", "s_last", "s_center"),
        ("m_part", "m_type", "m_d", "m_x", "m_axis", "m_clips"),
        statics=("x_shift", "d_shift"),
        parameters={"LANES": lanes, "M1": m1, "M2": m2, "COLUMNS": columns, "NET_LANES": net_lanes},
    )
    pairs, types = atoms(m1), np.random.default_rng(9).integers(0, 2, len(COUNTS)).tolist()
    stream = [
        beat | {"s_center": types[n] if beat["s_last"] else 1 - types[n]}
        for n, (env, feature) in enumerate(pairs)
        for beat in beats_of(env, feature, lanes)
    ]
    d_beats, x_beats = -(-m1 * m2 // net_lanes), m1 // columns
    each = d_beats + x_beats + 1
    run = module.run(stream, each * len(pairs), statics=shifts, **traffic)
    for n, (env, feature) in enumerate(pairs):
        x, x_clip = sat(rnd(env.T @ feature, shifts["x_shift"]), X_BITS)
        d, d_clip = sat(rnd(x.T @ x[:, :m2], shifts["d_shift"]), 16)
        beats = run.beats[n * each : (n + 1) * each]
        assert [beat["m_part"] for beat in beats] == [0] * d_beats + [1] * x_beats + [2]
        found = [word for beat in beats[:d_beats] for word in unpack(beat["m_d"], 16, net_lanes)]
        assert found == [*d.reshape(-1).tolist(), *[0] * (len(found) - m1 * m2)]
        assert all(beat["m_type"] == types[n] for beat in beats[:d_beats])
        columns_of_x = [w for beat in beats[d_beats:-1] for w in unpack(beat["m_x"], X_BITS, columns * 4)]
        assert columns_of_x == x.T.reshape(-1).tolist()
        assert unpack(beats[-1]["m_axis"], X_BITS, m2 * 4) == x.T[:m2].reshape(-1).tolist()
        assert beats[-1]["m_clips"] == int(d_clip.sum()) << 16 | int(x_clip.sum())
