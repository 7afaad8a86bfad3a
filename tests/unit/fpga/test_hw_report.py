"""The table of `make hw-report` for cells that are made up; the step is simulated."""

import pytest

from nvnmd import hw_report
from nvnmd.fpga.resources import VU9P
from nvnmd.fpga.synthesis import Resources


@pytest.mark.parametrize(("dsp", "met"), [(3000, True), (3300, False)])
def test_the_letter_is_held_to_the_published_multipliers(monkeypatch: pytest.MonkeyPatch, dsp: int, met: bool) -> None:
    monkeypatch.setattr(hw_report, "report", lambda name: Resources(lut=3e5, ff=2e5, dsp=dsp, bram=100))
    monkeypatch.setattr(hw_report, "ATOMS", 2000)
    monkeypatch.setattr(hw_report, "ENDS", (300, 4000))
    found = hw_report.figures("letter")
    bars = found.bars("letter")
    assert bars.pop("DSP <= 3,253, as published") == met
    assert bars["every resource <= 75% of a VU9P"]
    text = hw_report.table({"letter": found})
    assert f"{dsp:,} ({dsp / VU9P.dsp:.0%})" in text
    assert "estimate" in text
    assert found.ends[300] > found.ends[4000] > 0
    assert "the same, 4,000 atoms" in text


def test_too_many_cells_miss_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hw_report, "report", lambda name: Resources(lut=0.76 * VU9P.lut))
    monkeypatch.setattr(hw_report, "ATOMS", 500)
    monkeypatch.setattr(hw_report, "ENDS", (300,))
    assert not hw_report.figures("fast").bars("fast")["every resource <= 75% of a VU9P"]
