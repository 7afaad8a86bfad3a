"""descriptor_grad against section 7 of the specification: Y and its clip count."""

from typing import Any

import numpy as np
import pytest
from rtl_cases import TRAFFIC, small_model

from nvnmd.fpga.verilate import Module, StreamRun, pack, unpack
from nvnmd.quantize.fixed import rnd, sat
from nvnmd.quantize.reference import evaluate_atom
from nvnmd.quantize.testing import random_atoms
from nvnmd.quantize.validation import all_shifts

pytestmark = pytest.mark.hw
X_BITS, M1 = 15, 8


def play(x: Any, grad: Any, columns: int, shift: int, traffic: dict[str, Any]) -> tuple[Any, list[int], StreamRun]:
    """Run atoms ``x`` [n, 4, M1] and ``grad`` [n, M1, M2]; return (Y [n, 4, M1], clip counts, run)."""
    count, m1, m2 = grad.shape
    module = Module(
        "descriptor_grad",
        inputs=("s_grad", "s_x", "s_axis"),
        outputs=("m_y", "m_clips"),
        statics=("y_shift",),
        parameters={"M1": m1, "M2": m2, "COLUMNS": columns, "X_BITS": X_BITS},
    )
    beats = [
        {
            "s_grad": pack(grad[n, at : at + columns].reshape(-1), 16),
            "s_x": pack(x[n].T[at : at + columns].reshape(-1), X_BITS),
            "s_axis": pack(x[n].T[:m2].reshape(-1), X_BITS),
        }
        for n in range(count)
        for at in range(0, m1, columns)
    ]
    run = module.run(beats, count, statics={"y_shift": shift}, **traffic)
    y = np.array([unpack(beat["m_y"], 16, m1 * 4) for beat in run.beats]).reshape(count, m1, 4)
    return y.transpose(0, 2, 1), [beat["m_clips"] for beat in run.beats], run


def wanted(x: Any, grad: Any, shift: int) -> tuple[Any, Any]:
    """Y and the mask of clipped words, as in the specification."""
    m2 = grad.shape[2]
    total = np.einsum("ncm,nkm->nck", x[:, :, :m2], grad)
    total[:, :, :m2] += np.einsum("nck,nkm->ncm", x, grad)
    return sat(rnd(total, shift), 16)


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize(("m2", "columns"), [(2, 1), (3, 2), (1, 4), (8, 8)])
def test_any_words(m2: int, columns: int, traffic: dict[str, Any]) -> None:
    rng = np.random.default_rng(m2)
    size = np.array([2**14 - 1] * 5 + [900] * 9)[:, None, None]
    x = rng.integers(-size, size + 1, (14, 4, M1))
    grad = rng.integers(-32767, 32768, (14, M1, m2))
    x[:2], grad[:2] = np.array([[[2**14 - 1]], [[-(2**14) + 1]]]), 32767
    shift = 11
    y, clips, run = play(x, grad, columns, shift, traffic)
    words, clipped = wanted(x, grad, shift)
    assert np.array_equal(y, words)
    assert clips == clipped.sum(axis=(1, 2)).tolist()
    assert clips[0] == 4 * M1, "the largest words clip everywhere"
    assert not clipped.all()
    if not traffic["idle"] and not traffic["stall"]:
        beats = M1 // columns
        assert run.entered == list(range(14 * beats)), "never waits"
        assert run.left == [cycle + 5 for cycle in run.entered[beats - 1 :: beats]]


def test_the_words_of_real_atoms() -> None:
    model = small_model()
    traces = [evaluate_atom(model, atom).trace for atom in random_atoms(8, 4)]
    shift = all_shifts(model.formats, model.n_layers)["Y"]
    x, grad = (np.stack([trace[name] for trace in traces]) for name in ("X", "gD"))
    y, _, _ = play(x, grad, 2, shift, {"idle": 0.3, "stall": 0.3})
    assert np.array_equal(y, np.stack([trace["Y"] for trace in traces]))
