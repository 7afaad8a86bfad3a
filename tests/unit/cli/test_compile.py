"""`nvnmd compile`: targets, errors before anything is written, and what is said of a project."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from nvnmd import cli
from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.testing import random_model

needs_hls4ml = pytest.mark.skipif(find_spec("hls4ml") is None, reason="hls4ml is not installed")
needs_qonnx = pytest.mark.skipif(find_spec("qonnx") is None, reason="qonnx is not installed")


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "small.nvnmd"
    save_model(random_model(0, m1=4, m2=2, neuron=(8, 8)), path)
    return path


def nvnmd(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit code and everything printed."""
    monkeypatch.setattr(sys, "argv", ["nvnmd", "compile", *map(str, arguments)])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    printed = capsys.readouterr()
    return int(leaving.value.code or 0), printed.out + printed.err


@needs_hls4ml
def test_a_project_is_written_and_shown(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "project"
    options = ("--target", "hls4ml", "--no-check", "--clock-mhz", "200", "--reuse", "16", "-o", folder)
    code, text = nvnmd(monkeypatch, capsys, model_file, *options)
    assert code == 0, text
    assert "ESTIMATE (counted; nothing was synthesized)" in text
    assert "Not synthesized" in text
    assert json.loads((folder / "nvnmd.json").read_text())["options"]["clock_MHz"] == 200.0
    assert set(json.loads((folder / "estimate.json").read_text())["reuse"].values()) <= {8, 16}
    shown = nvnmd(monkeypatch, capsys, folder)
    assert shown == (0, text)


@needs_hls4ml
@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--target", "quartus"), "no target 'quartus'; the targets are hls4ml, qonnx"),
        (("--part", "spartan"), "no name of a part"),
        (("--synthesize",), "vitis-run is not on PATH"),
        (("--reuse", "0"), "reuse factor"),
    ],
)
def test_errors_are_one_line_and_nothing_is_written(
    model_file: Path,
    tmp_path: Path,
    options: tuple[str, ...],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, text = nvnmd(monkeypatch, capsys, model_file, "-o", tmp_path / "p", *options)
    assert code == 2
    assert named in text
    assert text.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@needs_qonnx
def test_networks_are_written_as_qonnx(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = nvnmd(monkeypatch, capsys, model_file, "--target", "qonnx", "-o", tmp_path / "q")
    assert code == 0, text
    assert len(list((tmp_path / "q").glob("fitting_*.onnx"))) == 4
    assert nvnmd(monkeypatch, capsys, model_file, "--target", "qonnx", "-o", tmp_path / "q")[0] == 2


def test_a_folder_that_is_no_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = nvnmd(monkeypatch, capsys, tmp_path)
    assert code == 2
    assert "no HLS project" in text
