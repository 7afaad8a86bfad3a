"""One small HLS project, built once; what needs hls4ml or g++ skips where they are missing."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from nvnmd.fpga.hls.csim import Csim, open_csim
from nvnmd.fpga.hls.project import write_project
from nvnmd.fpga.hls.sizes import Sizes, sizes_of

sys.path.insert(0, str(Path(__file__).parent))
import hls_cases


@pytest.fixture(scope="session", autouse=True)
def _tools() -> None:
    if find_spec("hls4ml") is None:
        pytest.skip("hls4ml is not installed (pip install 'nvnmd[hls]')")
    if shutil.which("g++") is None:
        pytest.skip("the C simulation needs g++")


@pytest.fixture(scope="session")
def sizes() -> Sizes:
    """Room for the strip form and for a table of each pair."""
    return sizes_of(hls_cases.gated_model(), feature_tables=4)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, sizes: Sizes) -> Path:
    """A project whose simulation is compiled; writing it compares the test bench with the reference."""
    folder = tmp_path_factory.mktemp("hls") / "project"
    return write_project(hls_cases.gated_model(), folder, hls_cases.OPTIONS, sizes)


@pytest.fixture
def simulation(project: Path) -> Csim:
    """The simulation with the model of the strip form."""
    return open_csim(project, hls_cases.gated_model())
