"""The figures and numbers of a page as files: SVG, PNG, GIF, CSV and JSON, with a page in Markdown."""

from __future__ import annotations

import base64
import html
import io
import re
import shutil
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from nvnmd.report.blocks import Commands, Figure, Folded, Missing, Numbers, Pictures, Section, Table, Text
from nvnmd.report.errors import ReportError
from nvnmd.training.files import write_text

MAX_FILM_BYTES = 500_000
MAX_CURVE_BYTES = 100_000
"""Larger CSV files, such as the ALTBC map, stay with the run."""
_DATA = re.compile(r'alt="([^"]*)" src="data:image/(\w+);base64,([^"]+)"')
_LABEL = re.compile(r'aria-label="([^"]*)"')


def keep(folder: Path, run: Path, title: str, subtitle: str, sections: Sequence[Section]) -> Path:
    """Write every figure of the sections, README.md, and the run's numbers into `folder`; returns README.md.

    Raises ReportError where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"# {title}", "", subtitle, ""]
        for section in sections:
            lines += [f"## {section.title}", ""]
            for block in section.blocks:
                lines += [*_markdown(folder, block), ""]
        for path in [run / "md.json", run / "md.yaml", *sorted((run / "analysis").glob("*"))]:
            if path.is_file() and path.stat().st_size <= MAX_CURVE_BYTES:
                shutil.copyfile(path, folder / path.name)
        write_text(folder / "README.md", "\n".join(lines).rstrip() + "\n")
    except OSError as error:
        raise ReportError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from None
    return folder / "README.md"


def _markdown(folder: Path, block: object) -> list[str]:
    if isinstance(block, Text):
        return [block.text]
    if isinstance(block, Numbers):
        return [f"- {n.label}: {n.value} {n.unit}" + (f" ({n.note})" if n.note else "") for n in block.numbers]
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Figure):
        return _figure(folder, block)
    if isinstance(block, Pictures):
        return [line for figure in block.figures for line in [*_figure(folder, figure), ""]]
    if isinstance(block, Commands):
        return ["```", block.text, "```"]
    if isinstance(block, Missing):
        return [f"Not in this run: {block.what} `{block.where}`"]
    return [f"{block.title}:", "", "```", block.text, "```"] if isinstance(block, Folded) else []


def _table(block: Table) -> list[str]:
    heads = [column.replace("|", ", ") for column in block.columns]
    rule = [":--" if k in block.text_columns else "--:" for k in range(len(heads))]
    rows = [[str(cell).replace("|", "\\|") for cell in row] for row in block.rows]
    lines = [f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows)]
    return [f"{block.caption}:", "", *lines] if block.caption else lines


def _figure(folder: Path, figure: Figure) -> list[str]:
    """Write the picture inside a figure; its Markdown."""
    found = _DATA.match(figure.html.removeprefix("<img "))
    label = found or _LABEL.search(figure.html)
    text = html.unescape(label.group(1)) if label else figure.caption
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60]
    if found:
        path = folder / f"{name}.{found.group(2)}"
        data = base64.b64decode(found.group(3))
        path.write_bytes(_few_colors(data) if path.suffix == ".png" else _short_film(data))
    else:
        path = folder / f"{name}.svg"
        write_text(path, _standalone(figure.html))
    return [f"![{text}]({path.name})", "", figure.caption]


def _short_film(gif: bytes) -> bytes:
    """A large film with every second frame and 24 colors; a small one as it is."""
    from PIL import Image, ImageSequence

    if len(gif) <= MAX_FILM_BYTES:
        return gif
    with Image.open(io.BytesIO(gif)) as film:
        frames = [frame.convert("RGB").quantize(24, dither=Image.Dither.NONE) for frame in ImageSequence.Iterator(film)]
    buffer = io.BytesIO()
    frames[1::2][0].save(buffer, format="gif", save_all=True, append_images=frames[1::2][1:], duration=330, loop=0)
    return buffer.getvalue()


def _few_colors(png: bytes) -> bytes:
    """The picture on white with 32 colors, a fraction of its size."""
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    flat = Image.alpha_composite(white, image).convert("RGB").quantize(32, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    flat.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def _standalone(svg: str) -> str:
    """An inline SVG with the page's light colors in place of its variables, on white; short numbers in paths."""
    style = (files("nvnmd.report") / "page.css").read_text(encoding="utf-8")
    light = dict(re.findall(r"--([\w-]+):\s*(#\w+)", style.split("@media")[0]))
    svg = re.sub(r"var\(--([\w-]+)\)", lambda found: light[found.group(1)], svg).replace("currentColor", light["ink"])
    svg = re.sub(r' d="[^"]*"', lambda found: re.sub(r"(\.\d\d)\d+", r"\1", found.group()), svg)
    end = svg.index(">") + 1
    font = "<style>text { font-family: 'DejaVu Sans', Verdana, sans-serif !important; }</style>"
    return f'{svg[:end]}{font}<rect width="100%" height="100%" fill="white"/>{svg[end:]}\n'
