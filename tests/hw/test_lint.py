"""Every module is clean under Verilator's lint, and no undeclared name becomes a wire."""

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
