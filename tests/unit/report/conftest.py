"""Run folders for the tests of the report."""

import importlib.util
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("synthetic_run", Path(__file__).with_name("synthetic_run.py"))
synthetic_run = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(synthetic_run)


@pytest.fixture
def make_run():
    """The generator of synthetic run folders."""
    return synthetic_run.make_run


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A whole synthetic run, not to be changed."""
    return synthetic_run.make_run(tmp_path_factory.mktemp("report") / "run")
