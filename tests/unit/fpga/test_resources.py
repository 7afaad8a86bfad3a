"""How counted cells are added up; yosys itself is played by a formula."""

import pytest

from nvnmd.fpga import report
from nvnmd.fpga.plan import named
from nvnmd.fpga.resources import Block, blocks
from nvnmd.fpga.synthesis import Resources
from nvnmd.fpga.verilate import module_sources


def test_columns_are_extended_linearly() -> None:
    def cells(module: str, parameters: dict[str, int]) -> Resources:
        return Resources(lut=100 + 7 * parameters["N"], dsp=parameters["N"])

    found = Block("block", "module", {"N": 128, "M": 3}, 2, ("N", 4, 8)).count(cells)
    assert found == Resources(lut=2 * (100 + 7 * 128), dsp=256)


@pytest.mark.parametrize("name", ["letter", "fast"])
def test_what_lies_between_the_blocks_is_the_card_without_them(name: str) -> None:
    *parts, rest = blocks(named(name))
    assert rest.module == "nvnmd_card"
    assert set(rest.without) == {block.module for block in parts}
    assert "IDENTITY" not in rest.parameters
    inside = {path.stem for path in module_sources("nvnmd_card")}
    assert set(rest.without) < inside
    assert not {"atom_pipeline", "fitting_net", "card_core"} & set(rest.without)


def test_the_report_adds_up(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Block, "count", lambda block: Resources(lut=1000, ff=10, dsp=2) * block.copies)
    total = report.report("fast")
    copies = sum(block.copies for block in blocks(named("fast")))
    assert total == Resources(lut=1000, ff=10, dsp=2) * copies
    text = capsys.readouterr().out
    assert f"{1000 * copies:,}" in text
    assert "power, estimate" in text
