"""The activity model of power, by hand."""

import pytest

from nvnmd.fpga.errors import FpgaError
from nvnmd.fpga.plan import named, predict
from nvnmd.fpga.power import ALWAYS_W, PER_MULTIPLIER, activity, estimate, estimate_uncounted
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
    assert 0.5 < activity(found.working, found.dsp) <= 1.0
    assert found.working["fitting network"] == 1.0


def test_activity_is_the_mean_over_multipliers() -> None:
    assert activity({"a": 1.0, "b": 0.25, "unused": 0.9}, {"a": 100, "b": 300}) == pytest.approx(0.4375)


def test_cells_that_were_not_counted_widen_the_range() -> None:
    middle = {name: 1000 * (per.low + per.high) / 2 for name, per in PER_MULTIPLIER.items()}
    counted, wide = estimate(Resources(dsp=1000, **middle), 200.0, 0.8), estimate_uncounted(1000, 200.0, 0.8)
    assert set(counted.parts) == set(wide.parts)
    assert wide.parts["DSP"] == counted.parts["DSP"]
    for name in ("LUT", "BRAM", "FF and clock"):
        assert wide.parts[name].low < counted.parts[name].low < counted.parts[name].high < wide.parts[name].high


@pytest.mark.parametrize(("clock", "busy"), [(0.0, 0.5), (100.0, 1.5), (100.0, -0.1)])
def test_what_cannot_be(clock: float, busy: float) -> None:
    with pytest.raises(FpgaError, match="between 0 and 1"):
        estimate(Resources(), clock, busy)
