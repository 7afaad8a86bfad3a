"""Makes `rtl_cases` importable beside the tests; RTL tests need tools that are not part of the default installation."""

import sys
from pathlib import Path

import pytest

from nvnmd.fpga.verilate import missing_tools

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _tools() -> None:
    if missing := missing_tools():
        pytest.skip(f"RTL simulation needs {', '.join(missing)}")
