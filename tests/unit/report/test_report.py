"""The report is one well-formed file with the numbers of the run, and names what is missing."""

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from nvnmd.report import ReportError, write_report
from nvnmd.report.blocks import Commands, Table
from nvnmd.report.plots import GRID, INK, SERIES
from nvnmd.report.run import Run
from nvnmd.report.sections.quantization import quantization
from nvnmd.report.sections.reproduce import reproduce

TITLES = ["Summary", "Model card", "Data", "Learning curve", "Accuracy", "Quantization", "Molecular dynamics"]
TITLES += ["Structure", "Reproduce"]


class Page(HTMLParser):
    """Tables as lists of rows, headings, notes on missing parts, and every link to something."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.headings, self.links, self.identifiers, self.text = [], [], [], [], ""
        self._open = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self._open.append(tag)
        values = dict(attributes)
        self.links += [values[key] for key in ("src", "href", "xlink:href") if key in values]
        self.identifiers += [values["id"]] if "id" in values else []
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "h2":
            self.headings.append("")

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        self.text += data
        if "td" in self._open or "th" in self._open:
            self.tables[-1][-1][-1] += data
        if "h2" in self._open:
            self.headings[-1] += data

    def table(self, caption_or_head):
        """The table that has a cell with this text in its first row."""
        return next(table for table in self.tables if caption_or_head in table[0])


@pytest.fixture(scope="module")
def text(run_folder):
    return write_report(run_folder).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_sections_in_order_and_nothing_missing(page, text):
    assert page.headings == TITLES
    missing = re.findall(r'class="missing">.*', text)
    assert len(missing) == 1
    assert "--reference" in missing[0]


def test_page_needs_nothing_else(page, text):
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in page.links)
    assert "<script" not in text
    assert "@import" not in text
    assert "url(" not in text.replace("url(#", "")


def test_figures_are_well_formed_and_follow_the_page(page, text):
    figures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(figures) == 5
    for figure in figures:
        ElementTree.fromstring(figure)
    assert len(set(page.identifiers)) == len(page.identifiers)
    assert all(link[1:] in page.identifiers for link in page.links if link.startswith("#"))
    assert not any(color in text for color in (INK, GRID, *SERIES))
    assert "currentColor" in text


def test_errors_are_those_of_the_evaluation(page, run_folder):
    errors = {
        kind: json.loads((run_folder / f"evaluate/{kind}/evaluation.json").read_text()) for kind in ("float", "integer")
    }
    rows = {(row[0], row[1]): row for row in page.table("Energy, floatmeV/atom")[1:]}
    for before, after in zip(errors["float"]["systems"], errors["integer"]["systems"], strict=True):
        row = rows[before["name"], before["part"]]
        assert row[3] == f"{1000 * before['energy_rmse']:.2f}"
        assert row[6:9] == [
            f"{1000 * before['force_rmse']:.1f}",
            f"{1000 * after['force_rmse']:.1f}",
            f"{after['force_rmse'] / before['force_rmse']:.3f}",
        ]
    ratio = errors["integer"]["parts"]["held out"]["force_rmse"] / errors["float"]["parts"]["held out"]["force_rmse"]
    assert rows["all", "held out"][8] == f"{ratio:.3f}"
    assert f"force RMSE {ratio:.3f} × the float model's, within the bar of 1.02" in page.text


def test_stages_and_speed_are_those_of_the_run(page):
    rows = {row[0]: row for row in page.table("Clippedwords")[1:]}
    assert rows["liquid"][1:3] == ["1200", "2"]
    assert float(rows["liquid"][3]) == pytest.approx(1200, rel=0.03)
    assert rows["quench"][1] == "1200 → 300"
    speed = {row[0]: row for row in page.table("Speedµs/step/atom")[1:]}
    assert float(speed["melt"][3]) == pytest.approx(1e6 * 1.5 / 500 / 64, abs=1e-3)
    assert speed["all"][1] == "4\u2009000"


def test_coordination_of_a_shaken_crystal(page):
    rows = {tuple(row[:3]): float(row[3]) for row in page.table("Coordination number")[1:]}
    assert rows["amorphous", "Ge", "Te"] == pytest.approx(6, abs=0.2)


def test_saturation_is_counted(tmp_path, make_run):
    blocks = quantization(Run(make_run(tmp_path / "run", ["evaluate", "md"], clipped=37))).blocks
    table = next(block for block in blocks if isinstance(block, Table))
    assert table.columns == ["Stage", "Words clipped on labeled frames", "Words clipped in the run"]
    assert table.rows == [["GRAD", "37", "37"], ["all", "37", "37"]]


@pytest.mark.parametrize("part", ["train", "quantize", "evaluate", "md"])
def test_missing_parts_are_named(tmp_path, make_run, part):
    page = write_report(make_run(tmp_path / "run", [part])).read_text(encoding="utf-8")
    missing = " ".join(re.findall(r'class="missing">.*', page))
    for other in {"train", "quantize", "evaluate", "md"} - {part}:
        assert f"{other}/" in missing
    assert Page(page).headings == TITLES


def test_empty_folder_gives_a_page_of_missing_parts(tmp_path):
    page = Page(write_report(tmp_path, tmp_path / "out.html").read_text(encoding="utf-8"))
    assert page.headings == TITLES
    assert not any(link.startswith("data:") for link in page.links)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("train/lcurve.out", "# step a b\n1 2\n"),
        ("train/model.safetensors", "no model"),
        ("quantize/model.nvnmd", "no model"),
        ("quantize/stages.json", "{"),
        ("evaluate/float/evaluation.json", "{"),
        ("md/md.json", "{"),
    ],
)
def test_damaged_files_are_named(tmp_path, run_folder, name, content):
    folder = tmp_path / "run"
    shutil.copytree(run_folder, folder)
    (folder / name).write_text(content)
    with pytest.raises(ReportError) as raised:
        write_report(folder)
    assert name.rsplit("/", 1)[0] in str(raised.value)


def test_unwritable_target(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="cannot be written"):
        write_report(tmp_path, tmp_path / "file" / "report.html")


def test_learning_curve_columns(run_folder):
    curve = Run(run_folder).learning_curve("train")
    assert curve is not None
    assert list(curve.columns)[:3] == ["step", "rmse_val", "rmse_trn"]
    assert np.all(np.diff(curve.columns["step"]) == 40)


def test_recipe_beside_the_run_is_how_to_reproduce_it(tmp_path, make_run):
    folder = make_run(tmp_path / "demo" / "run", ["train"])
    stages = "{train: {run: [train, 'my input.json', -o, run/train], writes: [x]}}"
    (tmp_path / "demo/stages.yaml").write_text(f"output: run\nstages: {stages}\n")
    commands = next(block for block in reproduce(Run(folder)).blocks if isinstance(block, Commands))
    assert commands.text == "nvnmd train 'my input.json' -o run/train"
    (tmp_path / "demo/stages.yaml").write_text(f"output: other\nstages: {stages}\n")
    commands = next(block for block in reproduce(Run(folder)).blocks if isinstance(block, Commands))
    assert commands.text.startswith("nvnmd train run/train/input.json -o run/train\nnvnmd quantize run/train")


def test_command_line(tmp_path):
    command = [sys.executable, "-m", "nvnmd", "report", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"nvnmd: {tmp_path / 'none'}: there is no such run folder\n"
