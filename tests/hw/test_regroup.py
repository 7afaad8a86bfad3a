"""regroup keeps the words of a vector whatever their number a beat."""

from typing import Any

import numpy as np
import pytest
from rtl_cases import TRAFFIC

from nvnmd.fpga.verilate import Module, pack, unpack

pytestmark = pytest.mark.hw
WORDS, VECTORS = 12, 9


def beats_of(vector: Any, lanes: int) -> list[list[int]]:
    """The words of each beat; what the last beat has beyond the vector is noise that must not come out."""
    padded = [*vector.tolist(), *([-7] * (-len(vector) % lanes))]
    return [padded[n : n + lanes] for n in range(0, len(padded), lanes)]


@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize(("into", "out"), [(4, 3), (3, 5), (12, 1), (5, 4), (1, 12), (12, 12)])
def test_words(into: int, out: int, traffic: dict[str, Any]) -> None:
    module = Module(
        "regroup",
        inputs=("s_word", "s_last", "s_user"),
        outputs=("m_word", "m_last", "m_user"),
        parameters={"WORDS": WORDS, "WORD_W": 16, "IN_LANES": into, "OUT_LANES": out, "USER_W": 4},
    )
    vectors = np.random.default_rng(into).integers(-32768, 32768, (VECTORS, WORDS))
    beats = []
    for n, vector in enumerate(vectors):
        parts = beats_of(vector, into)
        last = len(parts) - 1
        beats += [
            {"s_word": pack(part, 16), "s_last": int(at == last), "s_user": n if at == last else 15}
            for at, part in enumerate(parts)
        ]
    count = -(-WORDS // out)
    run = module.run(beats, VECTORS * count, **traffic)
    words = np.array([unpack(beat["m_word"], 16, out) for beat in run.beats]).reshape(VECTORS, count * out)
    assert np.array_equal(words[:, :WORDS], vectors)
    assert not words[:, WORDS:].any()
    assert [beat["m_last"] for beat in run.beats] == ([0] * (count - 1) + [1]) * VECTORS
    assert [beat["m_user"] for beat in run.beats] == np.repeat(np.arange(VECTORS), count).tolist()
    if not traffic["idle"] and not traffic["stall"]:
        assert run.left[0] == len(beats) // VECTORS + 1, "all words, then two cycles"
        step = max(count, len(beats) // VECTORS)
        assert run.left[-1] - run.left[0] == (VECTORS - 1) * step + count - 1, "the slower side sets the rate"
