"""The tools that a project needs: hls4ml to write it, g++ to simulate it, Vitis HLS to build hardware."""

from __future__ import annotations

import shutil
from importlib.metadata import PackageNotFoundError, version

from nvnmd.fpga.hls.errors import HlsError

HLS4ML = "1.3.0"
"""The release that the layers are written for and tested with."""


def check_hls4ml() -> None:
    """Check that hls4ml is there.

    Raises:
        HlsError: missing, or another release.
    """
    try:
        found = version("hls4ml")
    except PackageNotFoundError as error:
        raise HlsError("hls4ml is not installed; pip install 'nvnmd[hls]'") from error
    if found != HLS4ML:
        raise HlsError(f"hls4ml {found} is installed; the layers are written for {HLS4ML}: pip install 'nvnmd[hls]'")


def check_qonnx() -> None:
    """Check that QONNX is there.

    Raises:
        HlsError: it is not.
    """
    try:
        version("qonnx")
    except PackageNotFoundError as error:
        raise HlsError("qonnx is not installed; pip install 'nvnmd[hls]'") from error


def check_compiler() -> str:
    """Return the path of g++.

    Raises:
        HlsError: there is none.
    """
    found = shutil.which("g++")
    if found is None:
        raise HlsError("g++ is not on PATH; the C simulation is compiled with it (apt-get install g++)")
    return found
