"""The sections of the report, in order; each is a function from a run to a section."""

from collections.abc import Callable

from nvnmd.report.blocks import Section
from nvnmd.report.run import Run
from nvnmd.report.sections.accuracy import accuracy
from nvnmd.report.sections.data import data
from nvnmd.report.sections.dynamics import dynamics
from nvnmd.report.sections.learning import learning
from nvnmd.report.sections.model import model
from nvnmd.report.sections.quantization import quantization
from nvnmd.report.sections.reproduce import reproduce
from nvnmd.report.sections.structure import structure
from nvnmd.report.sections.summary import summary

SECTIONS: list[Callable[[Run], Section]] = [
    summary,
    model,
    data,
    learning,
    accuracy,
    quantization,
    dynamics,
    structure,
    reproduce,
]
