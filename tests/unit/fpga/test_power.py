"""The activity model of power, by hand."""

import pytest

from nvnmd.fpga.errors import FpgaError
from nvnmd.fpga.plan import named, predict
from nvnmd.fpga.power import ALWAYS_W, busy_share, estimate
from nvnmd.fpga.synthesis import Resources


def test_an_idle_card_without_flip_flops_takes_what_it_always_takes() -> None:
    power = estimate(Resources(lut=1e5, dsp=1e3), 250.0, busy=0.0)
    assert power.total.low == sum(part.low for part in ALWAYS_W.values())
    assert power.total.high == sum(part.high for part in ALWAYS_W.values())


def test_a_thousand_multipliers_by_hand() -> None:
    power = estimate(Resources(dsp=1000), 250.0, busy=0.5)
    assert power.parts["DSP"] == pytest.approx((1000 * 6e-12 * 125e6, 1000 * 16e-12 * 125e6))
    assert power.joules(2.0) == pytest.approx((2 * power.total.low, 2 * power.total.high))


def test_flip_flops_are_clocked_all_the_time() -> None:
    idle, busy = (estimate(Resources(ff=1000), 100.0, share).parts["FF and clock"] for share in (0.0, 1.0))
    assert idle == busy


@pytest.mark.parametrize("name", ["letter", "fast"])
def test_a_plan_has_busy_multipliers(name: str) -> None:
    found = predict(named(name))
    assert 0.5 < busy_share(found.stage_cycles, found.dsp) <= 1.0


@pytest.mark.parametrize(("clock", "busy"), [(0.0, 0.5), (100.0, 1.5), (100.0, -0.1)])
def test_what_cannot_be(clock: float, busy: float) -> None:
    with pytest.raises(FpgaError, match="between 0 and 1"):
        estimate(Resources(), clock, busy)
