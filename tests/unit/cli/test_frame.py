"""The frame of the command line program: lazy commands, help, errors."""

import subprocess
import sys
import types

import pytest

from nvnmd import cli
from nvnmd.training.errors import NvnmdError


def nvnmd(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "nvnmd", *arguments], capture_output=True, text=True, check=False)


def call(monkeypatch: pytest.MonkeyPatch, error: Exception, *arguments: str) -> int:
    """Run `nvnmd broken`, a command that raises `error`; returns the exit code."""

    def broken() -> None:
        raise error

    module = types.ModuleType("nvnmd.cli.broken")
    module.broken = broken  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nvnmd.cli.broken", module)
    monkeypatch.setitem(cli.COMMANDS, "broken", "Raises an error.")
    monkeypatch.setattr(sys, "argv", ["nvnmd", "broken", *arguments])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    return int(leaving.value.code or 0)


def test_help_names_every_command_and_imports_none() -> None:
    code = (
        "import sys; from nvnmd.cli import main\n"
        "try: main()\n"
        "except SystemExit: print('loaded', [m for m in sys.modules if m.startswith('nvnmd.cli.')"
        " or m in ('torch', 'numpy', 'brevitas', 'ase', 'matplotlib', 'pydantic')])"
    )
    run = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert run.stdout.rstrip().endswith("loaded []")
    for name in cli.COMMANDS:
        assert f"│ {name} " in run.stdout


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_has_help_with_an_example(name: str) -> None:
    run = nvnmd(name, "--help")
    assert run.returncode == 0, run.stderr
    assert f"    nvnmd {name}" in run.stdout


def test_version_is_printed() -> None:
    assert nvnmd("--version").stdout == f"nvnmd {__import__('nvnmd').__version__}\n"


def test_a_mistyped_command_is_answered_with_the_nearest() -> None:
    run = nvnmd("trian")
    assert run.returncode == 2
    assert "Did you mean 'train'?" in run.stderr


def test_our_own_error_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, NvnmdError("the file x is torn; copy it again")) == 2
    assert capsys.readouterr().err == "nvnmd: the file x is torn; copy it again\n"


def test_a_file_error_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, PermissionError(13, "Permission denied", "/locked")) == 2
    assert capsys.readouterr().err == "nvnmd: [Errno 13] Permission denied: '/locked'\n"


def test_an_unexpected_error_is_called_our_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, KeyError("speed")) == 1
    assert "unexpected KeyError: 'speed'" in capsys.readouterr().err


def test_debug_lets_the_error_through(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NvnmdError, match="torn"):
        call(monkeypatch, NvnmdError("torn"), "--debug")


def test_help_text_unwraps_paragraphs_and_keeps_examples() -> None:
    text = cli.help_text("""First
    line.

        nvnmd x [y]

        nvnmd z
    """)
    assert text == "First line.\n\n    nvnmd x \\[y]\n    nvnmd z"
