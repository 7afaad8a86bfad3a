"""Figures, tables and numbers of a page as files."""

import base64
import io

import pytest
from PIL import Image

from nvnmd.report import ReportError
from nvnmd.report.blocks import Commands, Figure, Number, Numbers, Pictures, Section, Table, Text
from nvnmd.report.keep import MAX_CURVE_BYTES, keep
from nvnmd.report.plots import INK, SERIES, png_image, styled, subplots, to_svg


def svg(title):
    with styled():
        canvas, axes = subplots(1, 1, 3, 2)
        axes[0, 0].plot([0, 1], [0, 1], color=SERIES[1])
        axes[0, 0].axhline(0.5, color=INK)
        return to_svg(canvas, title)


def test_a_page_becomes_files_that_stand_alone(tmp_path):
    buffer = io.BytesIO()
    Image.new("RGBA", (40, 30), (200, 10, 10, 128)).save(buffer, format="png")
    (tmp_path / "run/analysis").mkdir(parents=True)
    (tmp_path / "run/md.json").write_text("{}")
    (tmp_path / "run/analysis/glass-rdf.csv").write_text("r_A,g\n1,0\n")
    (tmp_path / "run/analysis/glass-altbc.csv").write_text("1\n" * MAX_CURVE_BYTES)
    blocks = [
        Text("A paragraph."),
        Numbers([Number("3", "nm", "cell", "about")]),
        Table(["Stage", "Length|ps"], [["a|b", "2"]], "All stages"),
        Figure(svg("Energy & time"), "How it went."),
        Pictures([Figure(png_image(buffer.getvalue(), "The end"), "Seen last.")]),
        Commands("nvnmd pcm heat"),
    ]
    page = keep(tmp_path / "kept", tmp_path / "run", "Title", "below", [Section("a", "Part", blocks)]).read_text()
    for line in ("# Title", "## Part", "- cell: 3 nm (about)", "| Stage | Length, ps |", r"| a\|b | 2 |",
                 "![Energy & time](energy-time.svg)", "![The end](the-end.png)", "Seen last."):  # fmt: skip
        assert line in page.splitlines()
    drawn = (tmp_path / "kept/energy-time.svg").read_text()
    assert "#d9822b" in drawn
    assert 'fill="white"' in drawn
    assert "var(" not in drawn
    assert "currentColor" not in drawn
    with Image.open(tmp_path / "kept/the-end.png") as image:
        # Half of a red on white.
        assert image.convert("RGB").getpixel((5, 5)) == pytest.approx((227, 132, 132), abs=2)
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [
        "README.md", "energy-time.svg", "glass-rdf.csv", "md.json", "the-end.png",
    ]  # fmt: skip


def test_films_stay_films(tmp_path):
    data = base64.b64encode(b"GIF89a").decode()
    figure = Figure(f'<img alt="Film of it" src="data:image/gif;base64,{data}">', "A film.")
    keep(tmp_path / "kept", tmp_path, "T", "s", [Section("a", "b", [figure])])
    assert (tmp_path / "kept/film-of-it.gif").read_bytes() == b"GIF89a"


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="cannot be written"):
        keep(tmp_path / "file", tmp_path, "T", "s", [])


def test_large_films_become_shorter(tmp_path, monkeypatch):
    monkeypatch.setattr("nvnmd.report.keep.MAX_FILM_BYTES", 10)
    frames = [Image.new("RGB", (20, 20), (40 * k, 0, 0)) for k in range(6)]
    buffer = io.BytesIO()
    frames[0].save(buffer, format="gif", save_all=True, append_images=frames[1:])
    data = base64.b64encode(buffer.getvalue()).decode()
    figure = Figure(f'<img alt="A film" src="data:image/gif;base64,{data}">', "A film.")
    keep(tmp_path / "kept", tmp_path, "T", "s", [Section("a", "b", [figure])])
    with Image.open(tmp_path / "kept/a-film.gif") as film:
        assert film.n_frames == 3
