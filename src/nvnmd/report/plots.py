"""matplotlib figures as inline SVG whose ink follows the page, in light and in dark."""

from __future__ import annotations

import base64
import io
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

# matplotlib knows no CSS: it draws with these colors, and the SVG gets the page's variables in their place.
INK, GRID = "#010203", "#010204"
SERIES = ("#010301", "#010302", "#010303", "#010304", "#010305", "#010306")
_VARIABLES = {INK: "currentColor", GRID: "var(--grid)"} | {c: f"var(--s{n})" for n, c in enumerate(SERIES, start=1)}
# Points are embedded as pixels, which cannot follow the page: tones that can be seen on both.
POINTS = ("#4b8fca", "#e08a34", "#3ba27c", "#9474c4", "#d4626c", "#8491a3")

_STYLE: Any = {
    "font.size": 10,
    "svg.fonttype": "none",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "savefig.transparent": True,
    "figure.constrained_layout.use": True,
}
_counter = itertools.count(1)


@contextmanager
def styled() -> Iterator[None]:
    """The report's matplotlib style, without a display, and only inside the block."""
    from matplotlib import rc_context
    from matplotlib.rcsetup import cycler

    with rc_context(_STYLE | {"axes.prop_cycle": cycler(color=SERIES)}):
        yield


def subplots(rows: int, columns: int, width: float, height: float, **options: Any) -> tuple[Canvas, Any]:
    """Figure and array of axes [rows, columns]; sizes in inches."""
    from matplotlib.figure import Figure

    canvas = Figure(figsize=(width, height))
    return canvas, canvas.subplots(rows, columns, squeeze=False, **options)


def to_svg(canvas: Canvas, description: str) -> str:
    """Inline SVG of a figure; identifiers are made unique on the page, `description` is for screen readers."""
    buffer = io.StringIO()
    canvas.savefig(
        buffer, format="svg", dpi=170, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
    )
    svg = buffer.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    for color, variable in _VARIABLES.items():
        svg = svg.replace(color, variable)
    prefix = f"f{next(_counter)}-"
    svg = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{prefix}", svg)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1, flags=re.DOTALL)
    label = description.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def png_image(png: bytes, description: str) -> str:
    """An image element with the picture inside."""
    label = description.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return f'<img alt="{label}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
