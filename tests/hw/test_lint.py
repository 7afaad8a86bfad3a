"""Every module is clean under Verilator's lint, and no undeclared name becomes a wire."""

import re
from pathlib import Path

import pytest

from nvnmd.fpga.verilate import sources, verilator

pytestmark = pytest.mark.hw
MODULES = [path for path in sources() if path.stem != "fixed_pkg"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_lint_is_clean(path: Path) -> None:
    verilator(["--lint-only", "-Wall", "--top-module", path.stem, *sources()])


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_names_must_be_declared(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    code = [line for line in lines if line and not line.startswith("//")]
    assert code[0] == "`default_nettype none"
    assert code[-1] == "`default_nettype wire"


def test_every_module_is_tested_by_itself() -> None:
    folder = Path(__file__).parent
    played = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    wrapped = "".join(path.read_text(encoding="utf-8") for path in (folder / "harness").glob("*.sv"))
    alone = {path.stem for path in MODULES if f'"{path.stem}"' in played}
    behind = {
        path.stem for path in MODULES if re.search(rf"^  {path.stem} (?:#\([^;]*?\) )?i_dut \(", wrapped, re.MULTILINE)
    }
    assert {path.stem for path in MODULES} == alone | behind
