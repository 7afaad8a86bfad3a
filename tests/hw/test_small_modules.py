"""crc32_step, clip_tally, model_constants and output_row, each by itself."""

import zlib
from typing import Any

import numpy as np
import pytest
from harnesses import harnessed
from rtl_cases import TRAFFIC, parts, small_model

from nvnmd.fpga.load import constant_words
from nvnmd.fpga.memory import beats as cut
from nvnmd.fpga.verilate import pack, unpack
from nvnmd.quantize.fixed import rnd
from nvnmd.quantize.validation import all_shifts

pytestmark = pytest.mark.hw
MODEL = small_model()


@pytest.mark.parametrize("bits", [64, 128, 256, 512])
def test_crc32_is_that_of_zlib(bits: int) -> None:
    module = harnessed("crc32_harness", ("s_state", "s_data"), ("m_next",), parameters={"BITS": bits})
    rng = np.random.default_rng(bits)
    data = [bytes(bits // 8), b"\xff" * (bits // 8), *(rng.bytes(bits // 8) for _ in range(40))]
    before = [0, 0xFFFFFFFF, *(int(word) for word in rng.integers(0, 1 << 32, 40))]
    beats = [
        {"s_state": crc ^ 0xFFFFFFFF, "s_data": int.from_bytes(part, "little")}
        for crc, part in zip(before, data, strict=True)
    ]
    run = module.run(beats, len(beats))
    wanted = [zlib.crc32(part, crc) for crc, part in zip(before, data, strict=True)]
    assert [beat["m_next"] ^ 0xFFFFFFFF for beat in run.beats] == wanted


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_a_tally_begins_anew_with_every_atom(traffic: dict[str, Any]) -> None:
    module = harnessed("clip_tally_harness", ("s_flags", "s_last"), ("m_total",), parameters={"FLAGS": 5})
    rng = np.random.default_rng(1)
    flags, last = rng.integers(0, 32, 60).tolist(), (rng.random(60) < 0.3).tolist()
    run = module.run([{"s_flags": f, "s_last": int(e)} for f, e in zip(flags, last, strict=True)], 60, **traffic)
    total, wanted = 0, []
    for flag, end in zip(flags, last, strict=True):
        total += flag.bit_count()
        wanted.append(total)
        total = 0 if end else total
    assert [beat["m_total"] for beat in run.beats] == wanted


def test_constants_of_a_model() -> None:
    outputs = ("u_min", "guard_end", "gated", "shifts", "align", "z_shift", "g_shift", "skip_shift")
    module = harnessed(
        "constants_harness",
        ("s_write", "s_row", "s_word"),
        tuple(f"m_{name}" for name in outputs),
        parameters={"LAYERS": 2},
    )
    rng = np.random.default_rng(2)
    words = rng.integers(0, 1 << 32, 3 + 17 + 5 + 6).tolist()
    order = rng.permutation(len(words)).tolist()
    writes = [{"s_write": 1, "s_row": row, "s_word": words[row]} for row in order]
    idle = {"s_write": 0, "s_row": 3, "s_word": 12345}
    beyond = {"s_write": 1, "s_row": len(words), "s_word": 54321}
    found = module.run([*writes, idle, beyond], len(words) + 2).beats[-1]
    six = [word & 63 for word in words]
    assert found["m_u_min"] == words[0] & (1 << 25) - 1
    assert found["m_guard_end"] == words[1] & 1023
    assert found["m_gated"] == words[2] & 1
    assert found["m_shifts"] == pack(six[3:20], 6)
    assert found["m_align"] == pack(six[20:25], 6)
    for which, name in enumerate(("z_shift", "g_shift", "skip_shift")):
        assert found[f"m_{name}"] == pack(six[25 + which :: 3], 6), name


def test_the_list_of_constants_has_the_length_that_the_rtl_expects() -> None:
    assert len(constant_words(MODEL)) == 3 + 17 + 5 + 3 * MODEL.n_layers


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("lanes", [2, 3])
def test_output_row(lanes: int, traffic: dict[str, Any]) -> None:
    weight, bias = MODEL.out_weight, MODEL.out_bias
    types, width = weight.shape
    count = -(-width // lanes)
    module = harnessed(
        "output_row_harness",
        ("s_type", "s_word", "s_last"),
        ("m_grad", "m_energy", "m_last"),
        statics=("e_shift",),
        config=("cfg_valid", "cfg_is_bias", "cfg_row", "cfg_weight", "cfg_bias"),
        parameters={"INPUTS": width, "LANES": lanes, "TYPES": types},
    )
    writes = [
        {"cfg_is_bias": 0, "cfg_row": t * count + n, "cfg_weight": pack(words, 16), "cfg_bias": 0}
        for t in range(types)
        for n, words in enumerate(cut(weight[t], lanes))
    ]
    writes += [{"cfg_is_bias": 1, "cfg_row": t, "cfg_weight": 0, "cfg_bias": pack([b], 32)} for t, b in enumerate(bias)]
    shift = all_shifts(MODEL.formats, MODEL.n_layers)["E"]
    rng = np.random.default_rng(lanes)
    h = rng.integers(-32767, 32768, (15, width))
    of = rng.integers(0, types, 15)
    beats = [
        {"s_type": int(t), "s_word": pack(words, 16), "s_last": int(n == count - 1)}
        for t, row in zip(of, h, strict=True)
        for n, words in enumerate(parts(row, lanes))
    ]
    run = module.run(beats, len(beats), statics={"e_shift": shift}, config=writes, **traffic)
    energy = rnd((weight[of].astype(np.int64) * h).sum(1) + bias[of].astype(np.int64), shift)
    ends = run.beats[count - 1 :: count]
    assert [unpack(beat["m_energy"], 32, 1)[0] for beat in ends] == energy.tolist()
    assert all(beat["m_last"] == int(n % count == count - 1) for n, beat in enumerate(run.beats))
    got = np.array([unpack(beat["m_grad"], 16, lanes) for beat in run.beats]).reshape(15, -1)
    assert np.array_equal(got[:, :width], weight[of])
    assert not got[:, width:].any()
