"""From sections to one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from nvnmd.report.blocks import Section


def render_page(title: str, subtitle: str, footer: str, sections: Sequence[Section]) -> str:
    """HTML of a page; text is escaped, figures are taken as they are."""
    from jinja2 import Environment, StrictUndefined

    folder = files("nvnmd.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((folder / "page.html.j2").read_text(encoding="utf-8"))
    style = (folder / "page.css").read_text(encoding="utf-8")
    return template.render(title=title, subtitle=subtitle, footer=footer, sections=sections, style=style)
