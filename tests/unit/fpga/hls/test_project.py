"""What is written: a whole hls4ml project of pinned types, or nothing."""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hls_cases import gated_model

from nvnmd.fpga.hls import project as writing
from nvnmd.fpga.hls import tools
from nvnmd.fpga.hls.csim import build_csim, open_csim, read_sizes
from nvnmd.fpga.hls.errors import HlsError
from nvnmd.fpga.hls.options import HlsOptions
from nvnmd.fpga.hls.project import write_project
from nvnmd.fpga.hls.sizes import Sizes, sizes_of
from nvnmd.quantize.testing import random_model

pytestmark = pytest.mark.xdist_group("hls")


def test_the_project_is_complete(project: Path, sizes: Sizes) -> None:
    for name in ("build_prj.tcl", "build_opt.tcl", "project.tcl", "build_lib.sh", "hls4ml_config.yml", "estimate.json"):
        assert (project / name).is_file(), name
    assert read_sizes(project) == sizes
    assert 'set part "xcvu9p-flga2104-2-e"' in (project / "project.tcl").read_text()
    assert "set clock_period 4.0" in (project / "project.tcl").read_text()
    assert str(project) in (project / "hls4ml_config.yml").read_text()
    assert [path for path in project.parent.iterdir() if path != project] == []


def test_every_type_comes_from_the_number_formats(project: Path) -> None:
    formats = gated_model().formats
    defines = (project / "firmware" / "defines.h").read_text()
    assert "model_default_t" not in defines
    assert "ap_fixed<16,6>" not in defines, "hls4ml's default type"
    assert f"ap_fixed<16,{16 - formats.weight_frac[0]}> dense1_weight_t" in defines
    assert f"ap_fixed<15,{15 - formats.x_frac}>" in defines
    assert f"ap_fixed<32,{32 - formats.f_frac}>" in defines


def test_the_dense_layers_are_those_of_hls4ml_with_their_reuse(project: Path) -> None:
    top = (project / "firmware" / "nvnmd_atom.cpp").read_text()
    parameters = (project / "firmware" / "parameters.h").read_text()
    assert top.count("nnet::typed_dense<") == 7
    assert parameters.count("nnet::dense_config {") == 7
    assert parameters.count("static const unsigned strategy = nnet::resource;") == 7
    assert set(re.findall(r"reuse_factor = (\d+);", parameters)) == {"8"}
    assert "#pragma HLS DATAFLOW" in top


def test_memories_are_ports(project: Path) -> None:
    top = (project / "firmware" / "nvnmd_atom.cpp").read_text()
    pragma = next(line for line in top.splitlines() if "INTERFACE bram" in line)
    for port in ("feature_rows", "radial_rows", "guard_rows", "tanh1_rows", "dense1_weight", "back3_weight"):
        assert port in pragma


def test_streams_that_wait_for_the_network_hold_several_atoms(project: Path) -> None:
    depth = dict(re.findall(r"STREAM variable=(\w+) depth=(\d+)", (project / "firmware/nvnmd_atom.cpp").read_text()))
    assert max(map(int, depth.values())) >= 3 * 64


def test_our_headers_compile_without_warnings_as_vitis_compiles_them(project: Path) -> None:
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Wno-unknown-pragmas", "-fsyntax-only", "-Ifirmware/ap_types"]
    sources = ["firmware/nvnmd_atom.cpp", "nvnmd_atom_test.cpp"]
    run = subprocess.run(["g++", *flags, *sources], cwd=project, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    ours = [line for line in run.stderr.splitlines() if re.match(r"\S*(nvnmd_\w+\.h|_test\.cpp):.*warning", line)]
    assert ours == []


@pytest.mark.slow
def test_the_test_bench_passes_and_notices_a_changed_weight(project: Path, tmp_path: Path) -> None:
    bench = tmp_path / "bench"
    sources = ["nvnmd_atom_test.cpp", "firmware/nvnmd_atom.cpp"]
    command = ["g++", "-std=c++11", "-O1", "-w", "-Ifirmware/ap_types", *sources, "-o", str(bench)]
    subprocess.run(command, cwd=project, check=True)
    run = subprocess.run([bench], cwd=project, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "20 atoms" in run.stdout
    data = tmp_path / "tb_data"
    data.mkdir()
    for path in (project / "tb_data").iterdir():
        (data / path.name).write_bytes(path.read_bytes())
    ports = (data / "ports.txt").read_text()
    at = ports.index("\n", ports.index("dense1_weight")) + 1
    (data / "ports.txt").write_text(ports[:at] + "1" + ports[at:])
    assert subprocess.run([bench], cwd=tmp_path, capture_output=True).returncode == 1


def test_a_project_is_replaced_only_on_request(project: Path, tmp_path: Path) -> None:
    model, folder = gated_model(), tmp_path / "p"
    write_project(model, folder, check=False)
    with pytest.raises(HlsError, match="--overwrite"):
        write_project(model, folder, check=False)
    write_project(model, folder, HlsOptions(clock_MHz=200.0), overwrite=True, check=False)
    assert "set clock_period 5.0" in (folder / "project.tcl").read_text()
    other = tmp_path / "mine"
    other.mkdir()
    (other / "thesis.tex").write_text("")
    with pytest.raises(HlsError, match="no HLS project"):
        write_project(model, other, overwrite=True, check=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "p"]


def test_a_fault_in_the_middle_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "test_bench", fail)
    with pytest.raises(KeyboardInterrupt):
        write_project(gated_model(), tmp_path / "deep" / "p", check=False)
    assert list((tmp_path / "deep").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (HlsOptions(part="virtex"), "no name of a part"),
        (HlsOptions(clock_MHz=5000.0), "5000 MHz"),
        (HlsOptions(reuse=0), "reuse factor"),
        (HlsOptions(name="a b"), "C\\+\\+ function"),
    ],
)
def test_options_that_cannot_be(tmp_path: Path, options: HlsOptions, named: str) -> None:
    with pytest.raises(HlsError, match=named):
        write_project(gated_model(), tmp_path / "p", options)
    assert list(tmp_path.iterdir()) == []


def test_a_model_wider_than_the_part(tmp_path: Path) -> None:
    model = random_model(1, m1=16, m2=4, neuron=(128, 128, 128))
    with pytest.raises(HlsError, match=r"needs \d+ multipliers at reuse 4, xcvu9p\S* has 6840; raise --reuse"):
        write_project(model, tmp_path / "p", HlsOptions(reuse=4))
    assert list(tmp_path.iterdir()) == []


def test_tables_larger_than_the_part(tmp_path: Path) -> None:
    model = gated_model()
    with pytest.raises(HlsError, match="Mbit of memory"):
        write_project(model, tmp_path / "p", sizes=sizes_of(model, feature_tables=20000))
    assert list(tmp_path.iterdir()) == []


def test_word_widths_that_the_layers_do_not_have(tmp_path: Path) -> None:
    model = gated_model()
    narrow = replace(model, formats=replace(model.formats, a_bits=17))
    with pytest.raises(HlsError, match="a_bits = 17 instead of 18"):
        write_project(narrow, tmp_path / "p")


def test_another_release_of_hls4ml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "version", lambda _: "1.0.0")
    with pytest.raises(HlsError, match=r"hls4ml 1\.0\.0 is installed"):
        write_project(gated_model(), tmp_path / "p")
    monkeypatch.undo()
    monkeypatch.setattr(tools, "version", lambda name: (_ for _ in ()).throw(tools.PackageNotFoundError(name)))
    with pytest.raises(HlsError, match="pip install 'nvnmd\\[hls\\]'"):
        write_project(gated_model(), tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


def test_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HlsError, match=r"g\+\+ is not on PATH"):
        write_project(gated_model(), tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


def test_errors_of_the_compiler_and_broken_projects(tmp_path: Path) -> None:
    model, folder = gated_model(), tmp_path / "p"
    write_project(model, folder, check=False)
    (folder / "firmware" / "defines.h").write_text("nonsense")
    with pytest.raises(HlsError, match=r"g\+\+ failed: .*error"):
        build_csim(folder)
    record = json.loads((folder / "nvnmd.json").read_text())
    record["sizes"]["planets"] = 9
    (folder / "nvnmd.json").write_text(json.dumps(record))
    with pytest.raises(HlsError, match="another version"):
        read_sizes(folder)
    with pytest.raises(HlsError, match="no HLS project"):
        open_csim(tmp_path, model)
