"""The tutorials run from top to bottom, at toy size, and show only pictures that they make."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nvnmd.pcm.models import shipped

FOLDER = Path(__file__).parents[2] / "docs" / "tutorials"
PAGES = sorted(FOLDER.glob("*.md"))
_SPEC = importlib.util.spec_from_file_location("tutorial_runner", FOLDER / "run.py")
runner = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(runner)


def test_there_are_tutorials_with_kept_pictures():
    assert len(PAGES) == 4
    for page in PAGES:
        text = page.read_text()
        assert all((FOLDER / "files" / name).exists() for name in runner.PICTURE.findall(text))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_tutorial_runs(page, tmp_path):
    if not page.stem.startswith("4") and not any("GeTe" in model.card.materials for model in shipped()):
        pytest.skip("no model of GeTe comes with this version")
    command = [sys.executable, str(FOLDER / "run.py"), str(page), "--folder", str(tmp_path), "--toy"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr


def test_a_failing_block_is_shown(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```sh\necho before; false\n```\n")
    with pytest.raises(RuntimeError, match="a block ended with 1"):
        runner.run_page(page, tmp_path / "run", toy=True)


def test_output_and_replacements(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- toy: 3 => 4 -->\n```sh\necho 3\n```\n\n```text\nold\n```\n\n```python\nx = 3\nprint(x + 1)\n```\nend\n"
    )
    text = runner.run_page(page, tmp_path / "run", toy=False)
    assert text.count("```text") == 2
    assert "```sh\necho 3\n```\n\n```text\n3\n```\n" in text
    assert "print(x + 1)\n```\n\n```text\n4\n```\nend" in text
    assert "```text\n4\n```\n\n```python" in runner.run_page(page, tmp_path / "run", toy=True)
    page.write_text("<!-- toy: 5 => 4 -->\n```sh\necho 3\n```\n")
    with pytest.raises(RuntimeError, match="is not in the block"):
        runner.run_page(page, tmp_path / "run", toy=True)
