"""What we add to the files of hls4ml: an interface for whole words, and a test bench that compares every answer.

hls4ml's own bridge and test bench pass floating-point numbers; the test bench reads them as ``float``, which 32-bit
words do not fit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nvnmd.fpga.hls.errors import HlsError
from nvnmd.fpga.hls.ports import Ports
from nvnmd.fpga.hls.sizes import Sizes
from nvnmd.quantize.integer_model import IntegerModel

_MARK = "// words instead of numbers"
_INTERFACE = """
{mark}
#include "firmware/nnet_utils/nvnmd_csim.h"

extern "C" {{

// 0: done. 1: no such port. 2: the port has another number of words.
int nvnmd_load(const char *port, const long long *words, unsigned long count) {{
    const std::int64_t *values = reinterpret_cast<const std::int64_t *>(words);
{loads}
    return 1;
}}

// Words of a packet and of an answer, both with their filling.
void nvnmd_frames(unsigned *packet, unsigned *answer) {{
    *packet = {input_words};
    *answer = {output_words};
}}

void nvnmd_evaluate(const unsigned *packets, unsigned *answers, unsigned long atoms) {{
    for (unsigned long atom = 0; atom < atoms; atom++) {{
        hls::stream<{input_type}> packet("packet");
        hls::stream<{output_type}> answer("answer");
        nvnmd_csim::push(packets + atom * {input_words}, {input_beats}, packet);
        {top}(packet, answer, {ports});
        nvnmd_csim::pull(answer, {output_beats}, answers + atom * {output_words});
    }}
}}
}}
"""
_TEST_BENCH = """// Loads the ports, plays packets, compares every word of the answers.
// What Vitis HLS runs as C simulation and cosimulation.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "{top}_bridge.cpp"

static bool load_ports(const char *path) {{
    std::ifstream file(path);
    std::string port;
    std::size_t count;
    while (file >> port >> count) {{
        std::vector<long long> words(count);
        for (long long &word : words)
            file >> word;
        if (!file || nvnmd_load(port.c_str(), words.data(), count) != 0)
            return false;
    }}
    return file.eof();
}}

static std::vector<unsigned> read_words(const char *path) {{
    std::ifstream file(path);
    std::vector<unsigned> words;
    for (unsigned word; file >> std::hex >> word;)
        words.push_back(word);
    return words;
}}

int main() {{
    if (!load_ports("tb_data/ports.txt")) {{
        std::cerr << "tb_data/ports.txt does not fit this project" << std::endl;
        return 1;
    }}
    const std::vector<unsigned> packets = read_words("tb_data/packets.hex"), wanted = read_words("tb_data/answers.hex");
    const std::size_t atoms = packets.size() / {input_words};
    if (atoms == 0 || packets.size() != atoms * {input_words} || wanted.size() != atoms * {output_words}) {{
        std::cerr << "tb_data holds no whole packets" << std::endl;
        return 1;
    }}
    std::vector<unsigned> answers(wanted.size());
    nvnmd_evaluate(packets.data(), answers.data(), atoms);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < wanted.size(); i++)
        wrong += answers[i] != wanted[i];
    std::cout << atoms << " atoms, " << wanted.size() << " words, " << wrong << " differ" << std::endl;
    return wrong == 0 ? 0 : 1;
}}
"""


def csim_interface(graph: Any) -> None:
    """Append the interface to hls4ml's bridge; hls4ml writes the bridge anew with every compilation.

    Raises:
        HlsError: the bridge is not there.
    """
    name = graph.config.get_project_name()
    bridge = Path(graph.config.get_output_dir()) / f"{name}_bridge.cpp"
    if not bridge.is_file():
        raise HlsError(f"{bridge} is missing; did hls4ml write the project?")
    packet, answer = graph.get_input_variables()[0], graph.get_output_variables()[0]
    ports = [port.name for port in graph.get_weight_variables()]
    load = '    if (std::strcmp(port, "{0}") == 0)\n        return nvnmd_csim::load({0}, values, count) ? 0 : 2;'
    text = _INTERFACE.format(
        mark=_MARK,
        loads="\n".join(load.format(port) for port in ports),
        input_type=packet.type.name,
        output_type=answer.type.name,
        input_beats=packet.shape[0],
        input_words=packet.size(),
        output_beats=answer.shape[0],
        output_words=answer.size(),
        top=name,
        ports=", ".join(ports),
    )
    written = bridge.read_text().split(f"\n{_MARK}")[0]
    bridge.write_text(written + text)


def test_bench(folder: Path, model: IntegerModel, sizes: Sizes, name: str, words: Ports) -> None:
    """Write the test bench and its data: the model's ports, packets of some atoms, the reference's answers."""
    from nvnmd.fpga.hls.frames import answer_frames, packet_frames
    from nvnmd.quantize.testing import random_atoms

    atoms = random_atoms(
        20, 1, model.n_types, model.rcut_A, most=min(60, model.max_neighbors), dx_frac=model.formats.dx_frac
    )
    packets, answers = packet_frames(atoms, sizes), answer_frames(model, atoms, sizes)
    data = folder / "tb_data"
    data.mkdir(exist_ok=True)
    with (data / "ports.txt").open("w") as file:
        for port, memory in words.items():
            file.write(f"{port} {memory.size}\n")
            np.savetxt(file, memory, "%d")
    np.savetxt(data / "packets.hex", packets, "%08x")
    np.savetxt(data / "answers.hex", answers, "%08x")
    text = _TEST_BENCH.format(top=name, input_words=packets.shape[1], output_words=answers.shape[1])
    (folder / f"{name}_test.cpp").write_text(text)
