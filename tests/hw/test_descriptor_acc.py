"""descriptor_acc against section 5 of the specification: X, D and their clip flags."""

from typing import Any

import numpy as np
import pytest
from rtl_cases import TRAFFIC

from nvnmd.fpga.verilate import Module, pack, unpack
from nvnmd.quantize.fixed import rnd, sat

pytestmark = pytest.mark.hw
X_BITS = 15
COUNTS = [0, 1, 2, 40, 0, 0, 1, 1, 7, 30, 3, 12]


def module(m1: int, m2: int, columns: int, lanes: int = 1) -> Module:
    return Module(
        "descriptor_acc",
        inputs=("s_env", "s_feature", "s_none", "s_last"),
        outputs=("m_x", "m_axis", "m_d", "m_x_clip", "m_d_clip", "m_last"),
        statics=("x_shift", "d_shift"),
        parameters={"M1": m1, "M2": m2, "COLUMNS": columns, "LANES": lanes, "X_BITS": X_BITS},
    )


def atoms(m1: int) -> list[tuple[Any, Any]]:
    """``(R, G)`` of atoms with 0 … 40 neighbors; the words of the fourth are as large as words get."""
    rng = np.random.default_rng(3)
    pairs = [(rng.integers(-9000, 9000, (n, 4)), rng.integers(-9000, 9000, (n, m1))) for n in COUNTS]
    n = COUNTS[3]
    pairs[3] = (np.full((n, 4), 32767), np.where(np.arange(m1) % 2, -32767, 32767) * np.ones((n, 1), int))
    return pairs


def beats_of(env: Any, feature: Any, lanes: int = 1) -> list[dict[str, int]]:
    """``lanes`` neighbors a beat; words of lanes without a neighbor, here noise, must not count.

    With several lanes a neighbor may stand in any of them.
    """
    rng, n = np.random.default_rng(len(env)), len(env)
    count = max(1, -(-n // lanes))
    place = np.sort(rng.permutation(count * lanes)[:n])
    none = np.ones(count * lanes, int)
    none[place] = 0
    words = rng.integers(-32767, 32768, (count * lanes, 4 + feature.shape[1]))
    words[place, :4], words[place, 4:] = env, feature
    return [
        {
            "s_env": pack(words[at : at + lanes, :4].reshape(-1), 16),
            "s_feature": pack(words[at : at + lanes, 4:].reshape(-1), 16),
            "s_none": pack(none[at : at + lanes], 1),
            "s_last": int(at + lanes == count * lanes),
        }
        for at in range(0, count * lanes, lanes)
    ]


def check(beats: list[dict[str, int]], env: Any, feature: Any, m2: int, shifts: dict[str, int]) -> int:
    """Compare the beats of one atom with numpy and return how many words were clipped."""
    m1, columns = feature.shape[1], feature.shape[1] // len(beats)
    x, x_clip = sat(rnd(env.T @ feature, shifts["x_shift"]), X_BITS)
    d, d_clip = sat(rnd(x.T @ x[:, :m2], shifts["d_shift"]), 16)
    assert [w for beat in beats for w in unpack(beat["m_x"], X_BITS, columns * 4)] == x.T.reshape(-1).tolist()
    assert [w for beat in beats for w in unpack(beat["m_d"], 16, columns * m2)] == d.reshape(-1).tolist()
    assert all(unpack(beat["m_axis"], X_BITS, m2 * 4) == x.T[:m2].reshape(-1).tolist() for beat in beats)
    flags = [beat["m_x_clip"] >> n & 1 for beat in beats for n in range(columns * 4)]
    assert flags == x_clip.T.reshape(-1).astype(int).tolist()
    flags = [beat["m_d_clip"] >> n & 1 for beat in beats for n in range(columns * m2)]
    assert flags == d_clip.reshape(-1).astype(int).tolist()
    assert len(flags) == m1 * m2
    return int(x_clip.sum() + d_clip.sum())


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize(("m2", "columns", "lanes"), [(2, 1, 1), (2, 2, 3), (3, 4, 2)])
def test_x_and_d(m2: int, columns: int, lanes: int, traffic: dict[str, Any]) -> None:
    m1, shifts = 8, {"x_shift": 17, "d_shift": 12}
    pairs = atoms(m1)
    beats = [beat for env, feature in pairs for beat in beats_of(env, feature, lanes)]
    out_beats = m1 // columns
    run = module(m1, m2, columns, lanes).run(beats, out_beats * len(pairs), statics=shifts, **traffic)
    assert [beat["m_last"] for beat in run.beats] == ([0] * (out_beats - 1) + [1]) * len(pairs)
    clipped = 0
    for n, (env, feature) in enumerate(pairs):
        clipped += check(run.beats[n * out_beats : (n + 1) * out_beats], env, feature, m2, shifts)
    assert clipped > 0


def test_latency_and_rate() -> None:
    env, feature = np.ones((20, 4), int), np.ones((20, 8), int)
    run = module(8, 2, 2).run(beats_of(env, feature) * 3, 12, statics={"x_shift": 0, "d_shift": 0})
    assert run.entered == list(range(60)), "a neighbor every cycle, across atoms"
    ends = [run.entered[n] for n in (19, 39, 59)]
    assert run.left == [end + 5 + beat for end in ends for beat in range(4)]
