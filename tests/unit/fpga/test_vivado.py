"""The build script, run by a Tcl interpreter in which Vivado's commands only write down how they were called.

This finds what is wrong with the Tcl, the files, the ports and the wires; what Vivado would say of it nobody knows.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from nvnmd.fpga import RTL
from nvnmd.fpga.errors import FpgaError
from nvnmd.fpga.plan import named
from nvnmd.fpga.verilate import sources
from nvnmd.fpga.vivado import BOARDS, SCRIPTS, write_build

tkinter = pytest.importorskip("tkinter")
RETURNS_A_NAME = [
    "get_bd_pins",
    "get_bd_intf_pins",
    "get_files",
    "get_bd_addr_segs",
    "get_runs",
    "current_project",
    "current_fileset",
]
CALLED = [
    "create_project",
    "set_property",
    "add_files",
    "update_compile_order",
    "generate_target",
    "make_wrapper",
    "launch_runs",
    "wait_on_run",
    "open_run",
    "report_timing_summary",
    "report_utilization",
    "report_power",
    "create_bd_design",
    "make_bd_intf_pins_external",
    "make_bd_pins_external",
    "connect_bd_net",
    "connect_bd_intf_net",
    "assign_bd_address",
    "validate_bd_design",
    "save_bd_design",
]
Calls = list[list[str]]


def play(folder: Path, board: str, slack: str = "0.1") -> Calls:
    """Run build.tcl for the letter's configuration; every call of a command of Vivado."""
    command = write_build(folder, named("letter"), board)
    calls: Calls = []
    tcl = tkinter.Tcl()

    def record(name: str, result: Callable[[tuple[str, ...]], str]) -> None:
        def call(*words: str) -> str:
            calls.append([name, *map(str, words)])
            return result(words)

        tcl.createcommand(name, call)

    for name in CALLED:
        record(name, lambda words: "")
    for name in RETURNS_A_NAME:
        record(name, lambda words: str(words[0]) if words else "object")
    record("create_bd_cell", lambda words: str(words[-1]))
    record("get_timing_paths", lambda words: "path")
    record("get_property", lambda words: slack if words[0] == "SLACK" else "100%")
    tcl.eval('proc exit {code} { error "exit $code" }; rename file real_file; proc puts_ {args} {}')
    tcl.eval('proc file {command args} { if {$command eq "copy"} { return }; return [real_file $command {*}$args] }')
    tcl.eval("set argv [list " + " ".join(f"{{{word}}}" for word in command[command.index("-tclargs") + 1 :]) + "]")
    tcl.eval(f"source {{{command[4]}}}")
    return calls


@pytest.fixture(params=list(BOARDS))
def board(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_there_are_two_boards() -> None:
    assert set(BOARDS) >= {"vcu118", "vcu1525"}


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.tcl")), ids=lambda path: path.name)
def test_every_script_is_complete_tcl(path: Path) -> None:
    tcl = tkinter.Tcl()
    tcl.setvar("script", path.read_text(encoding="ascii"))
    assert tcl.eval("info complete $script") == "1"


def test_sources_and_constraints_exist(tmp_path: Path, board: str) -> None:
    added = [words for words in play(tmp_path, board) if words[0] == "add_files"]
    files = [path for words in added for path in tkinter.Tcl().splitlist(words[-1])]
    assert [path for path in files if not Path(path).is_file()] == []
    assert files[: len(sources())] == [str(path) for path in sources()]
    assert {Path(path).name for path in files} >= {"nvnmd_card_bd.v", f"{board}.xdc", "floorplan.xdc", "interrupt.xdc"}


def card_ports() -> list[tuple[str, str, int]]:
    """Direction, name and width of the ports of nvnmd_card."""
    text = (RTL / "nvnmd_card.sv").read_text(encoding="utf-8")
    found = re.findall(r"^    (input|output)\s+(?:wire )?logic\s+(?:\[(\d+):0\])?\s*(\w+),?$", text, re.MULTILINE)
    return [(direction, name, int(top or 0) + 1) for direction, top, name in found]


def test_the_wrapper_has_the_ports_and_parameters_of_the_card(tmp_path: Path) -> None:
    play(tmp_path, "vcu118")
    text = (tmp_path / "build" / "nvnmd_card_bd.v").read_text()
    found = re.findall(r"^    (input|output) wire (?:\[(\d+):0\] )?(\w+),?$", text, re.MULTILINE)
    assert [(direction, name, int(top or 0) + 1) for direction, top, name in found] == card_ports()
    assert len(card_ports()) > 25
    assert set(re.findall(r"\.(\w+)\(\1\)", text)) == {name for _, name, _ in card_ports()}
    declared = re.findall(r"parameter (?:int unsigned|bit|logic \[31:0\]) (\w+) =", (RTL / "nvnmd_card.sv").read_text())
    given = dict(re.findall(r"\.([A-Z0-9_]+)\((\d+)\)", text))
    assert given == {name: str(value) for name, value in named("letter").parameters.items()}
    assert set(declared) == set(given)


@pytest.mark.hw
def test_the_wrapper_is_verilog(tmp_path: Path) -> None:
    from nvnmd.fpga.verilate import missing_tools, verilator

    if missing := missing_tools():
        pytest.skip(f"needs {', '.join(missing)}")
    play(tmp_path, "vcu118")
    verilator(["--lint-only", "--top-module", "nvnmd_card_bd", *sources(), tmp_path / "build" / "nvnmd_card_bd.v"])


def test_every_cell_that_is_wired_exists_and_has_clock_and_reset(tmp_path: Path, board: str) -> None:
    calls = play(tmp_path, board)
    cells = {words[-1] for words in calls if words[0] == "create_bd_cell"}
    pins = {words[1] for words in calls if words[0] in ("get_bd_pins", "get_bd_intf_pins")}
    assert {pin.split("/")[0] for pin in pins} == cells
    ports = {name for _, name, _ in card_ports()}
    for pin in (pin for pin in pins if pin.startswith("card/")):
        name = pin.removeprefix("card/")
        assert name in ports or f"{name}_tvalid" in ports or f"{name}_arvalid" in ports, pin
    wired = [set(words[1:]) for words in calls if words[0] in ("connect_bd_net", "connect_bd_intf_net")]
    for pin in ("card/aclk", "card/aresetn", "card/s_axis", "card/m_axis", "card/s_axi", "xdma/sys_rst_n"):
        outside = [words for words in calls if words[0].startswith("make_bd_") and words[-1] == pin]
        assert sum(pin in net for net in wired) + len(outside) == 1, pin
    assert any(words[0] == "validate_bd_design" for words in calls)


def test_the_interrupt_is_wired_and_its_crossing_is_named(tmp_path: Path) -> None:
    wired = [words[1:] for words in play(tmp_path, "vcu118") if words[0] == "connect_bd_net"]
    assert ["card/irq_req", "xdma/usr_irq_req"] in wired
    assert ["xdma/usr_irq_ack", "card/irq_ack"] in wired
    assert ["xdma/axi_aclk", "card/irq_clk"] in wired
    cell = re.search(r"i_card/(\w+)/(\w+)_reg\[0\]/D", (SCRIPTS / "interrupt.xdc").read_text())
    assert cell
    assert f" {cell[1]} (" in (RTL / "nvnmd_card.sv").read_text(encoding="utf-8")
    assert f" {cell[2]};" in (RTL / "interrupt_request.sv").read_text(encoding="utf-8")


def test_the_bridge_is_pcie_3_x16_with_streams(tmp_path: Path) -> None:
    settings = [words for words in play(tmp_path, "vcu118") if words[0] == "set_property" and words[-1] == "xdma"]
    values = tkinter.Tcl().splitlist(settings[0][2])
    chosen = dict(zip(values[::2], values[1::2], strict=True))
    assert chosen["CONFIG.pl_link_cap_max_link_width"] == "X16"
    assert chosen["CONFIG.pl_link_cap_max_link_speed"] == "8.0_GT/s"
    assert chosen["CONFIG.axisten_freq"] == "250"
    assert chosen["CONFIG.xdma_axi_intf_mm"] == "AXI_Stream"


def test_hints_name_instances_that_exist(tmp_path: Path, board: str) -> None:
    play(tmp_path, board)
    hints = (tmp_path / "build" / "floorplan.xdc").read_text()
    assert {f"SLR{n}" for n in range(3)} == set(re.findall(r"-add (SLR\d)", hints))
    assert hints.count("g_layer[") == named("letter").layers
    wrapper = tmp_path / "build" / "nvnmd_card_bd.v"
    text = "".join(path.read_text(encoding="utf-8") for path in (*sources(), wrapper))
    for instance in set(re.findall(r"/(i_\w+|g_\w+)", hints)):
        assert re.search(rf"\b{instance}\b", text), instance


def test_missed_timing_ends_the_build_with_a_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(tkinter.TclError, match="exit 1"):
        play(tmp_path, "vcu118", slack="-0.2")
    assert "timing is missed by 0.2 ns" in capfd.readouterr().err


def test_wrong_calls(tmp_path: Path) -> None:
    with pytest.raises(FpgaError, match=r"no board 'u55c'; there are vcu118, vcu1525"):
        write_build(tmp_path, named("letter"), "u55c")
    write_build(tmp_path, named("letter"), "vcu118")
    with pytest.raises(FpgaError, match="exists"):
        write_build(tmp_path, named("letter"), "vcu118")
