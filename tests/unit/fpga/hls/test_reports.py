"""Estimate, widths, traces, profiles and reports of Vitis HLS."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hls_cases import OPTIONS, edge_atoms, gated_model

from nvnmd.fpga.hls.errors import HlsError
from nvnmd.fpga.hls.options import HlsOptions
from nvnmd.fpga.hls.profiling import save_profiles
from nvnmd.fpga.hls.summary import show_estimate
from nvnmd.fpga.hls.traced import PACKETS, TracedProject
from nvnmd.fpga.hls.vitis import read_reports, show_reports, synthesize
from nvnmd.fpga.hls.widths import compare_widths, widths_table
from nvnmd.quantize.reference import AtomInput, evaluate_atom
from nvnmd.quantize.testing import crystal

pytestmark = pytest.mark.xdist_group("hls")


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> TracedProject:
    return TracedProject(gated_model(), tmp_path_factory.mktemp("traced") / "p", OPTIONS)


def some_atoms() -> list[AtomInput]:
    return edge_atoms(2, most=40)[:3] + crystal(gated_model(), repeat=1)[:5]


def reference_words(name: str, trace: dict[str, Any]) -> Any:
    """Words of a layer in the names of the specification; None for layers that it does not name."""
    if name[:-1] in ("tanh", "slope", "scale", "round"):
        return trace[{"tanh": "h", "slope": "phi", "scale": "gz", "round": "g"}[name[:-1]] + name[-1]]
    joined = {
        "unpack": ("x",),
        "feature": ("G", "Gp"),
        "environment": ("R",),
        "force_dots": ("A", "B"),
        "force_pair": ("f",),
    }
    if name in joined:
        return np.concatenate([trace[part] for part in joined[name]], axis=1)
    if name == "radial":
        return np.stack([trace[part] for part in ("s", "sp", "h", "hp")], axis=1)
    if name == "guard":
        return np.stack([trace["guard"], trace["guard_slope"]], axis=1)
    single = {"contraction": "X", "symmetric": "D", "contraction_grad": "Y"}
    return trace[single[name]].ravel() if name in single else None


def test_hls4mls_trace_has_the_words_of_the_specification(traced: TracedProject) -> None:
    model, atoms = traced.model, some_atoms()
    words = traced.trace(atoms)
    compared = set()
    for number, atom in enumerate(atoms):
        result = evaluate_atom(model, atom)
        n = len(atom.neighbor_type)
        for name, values in words.items():
            wanted = reference_words(name, result.trace)
            if name == "energy":
                wanted = np.array([result.energy])
            if wanted is None:
                continue
            got = values[number][1 : n + 1] if name == "unpack" else values[number]
            got = got[:n] if got.ndim == 2 else got
            assert np.array_equal(got, wanted), (number, name)
            compared.add(name)
    kinds = {name: node.class_name for name, node in traced.graph.graph.items() if name in words}
    left = {name for name in words if name not in compared and kinds[name] not in (*PACKETS, "TypedDense")}
    assert left == {"output_weights"}


def test_hls4mls_predict_gives_the_answers(traced: TracedProject) -> None:
    from nvnmd.fpga.hls.frames import answer_frames

    atoms = some_atoms()
    got = traced.graph.predict(traced.inputs(atoms))
    assert np.array_equal(got.astype(np.uint32), answer_frames(traced.model, atoms, traced.sizes))


def test_widths_used_and_needed(traced: TracedProject) -> None:
    widths = {width.layer: width for width in compare_widths(traced, some_atoms())}
    assert "packet_in" not in widths
    assert all(0 <= width.unused < width.used for width in widths.values())
    largest = max(int(np.abs(evaluate_atom(traced.model, atom).trace["X"]).max()) for atom in some_atoms())
    assert widths["contraction"].needed == largest.bit_length() + 1
    assert widths["contraction"].used == 15
    assert "contraction" in widths_table(list(widths.values()))


def test_profiles_are_drawn_by_hls4ml(traced: TracedProject, tmp_path: Path) -> None:
    pytest.importorskip("seaborn", reason="profiling plots need seaborn")
    for path in save_profiles(traced, some_atoms(), tmp_path):
        assert path.read_bytes().startswith(b"\x89PNG")


def test_the_estimate_says_that_it_is_one(project: Path) -> None:
    text = show_estimate(project, HlsOptions())
    assert text.startswith("ESTIMATE (counted; nothing was synthesized)")
    assert "s/step/atom, if 250 MHz are reached" in text


def test_without_vitis_the_message_says_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    text = show_reports(project)
    assert "vitis-run is not on PATH" in text
    assert "vitis-run --mode hls --tcl build_prj.tcl" in text
    assert "not found" not in text
    with pytest.raises(HlsError, match=r"source its settings64\.sh"):
        synthesize(project)


def test_a_tool_that_fails_is_an_error(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "vitis-run"
    tool.write_text(f"#!/bin/sh\necho $* >> {tmp_path}/calls\ntest -f build_prj.tcl && exit 3\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(HlsError, match="Vitis HLS failed"):
        synthesize(project)
    assert (tmp_path / "calls").read_text() == "--mode hls --tcl build_prj.tcl\n"


SYNTHESIS = """<profile>
<UserAssignments><TargetClockPeriod>4.00</TargetClockPeriod></UserAssignments>
<PerformanceEstimates>
<SummaryOfTimingAnalysis><EstimatedClockPeriod>2.92</EstimatedClockPeriod></SummaryOfTimingAnalysis>
<SummaryOfOverallLatency><Best-caseLatency>1000</Best-caseLatency><Worst-caseLatency>1001</Worst-caseLatency>
<Interval-min>77</Interval-min><Interval-max>78</Interval-max></SummaryOfOverallLatency>
</PerformanceEstimates>
<AreaEstimates><Resources><DSP>12</DSP><LUT>34</LUT></Resources>
<AvailableResources><DSP>6840</DSP></AvailableResources></AreaEstimates>
</profile>
"""


def test_reports_of_vitis_are_parsed_and_shown(tmp_path: Path) -> None:
    """The files have the form that hls4ml's parser documents; no tool wrote them."""
    (tmp_path / "nvnmd.json").write_text('{"options": {"name": "top"}}')
    (tmp_path / "project.tcl").write_text('set project_name "top"\nset backend "vitis"\n')
    report = tmp_path / "top_prj" / "solution1" / "syn" / "report"
    report.mkdir(parents=True)
    (report / "top_csynth.xml").write_text(SYNTHESIS)
    (tmp_path / "top_prj" / "hls.app").write_text(
        '<project><solutions><solution name="solution1"/></solutions></project>'
    )
    found = read_reports(tmp_path)
    assert found is not None
    assert found["CSynthesisReport"]["IntervalMax"] == "78"
    assert "IntervalMax: 78" in show_reports(tmp_path)
    (report / "top_csynth.xml").write_text("<profile>")
    with pytest.raises(HlsError, match="cannot be read"):
        read_reports(tmp_path)
