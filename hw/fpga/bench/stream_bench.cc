// Plays a file of words into one module with valid/ready streams and prints every word that leaves it.
//
// The build names the module Vtop and its ports in the lists STATIC_PORTS, CONFIG_PORTS, INPUT_PORTS
// and OUTPUT_PORTS as X(port)X(port)… The script, one line each, numbers in hexadecimal, in the order of the lists:
//   static WORD…   constants of the run       config WORD…   one write through the cfg_ ports, before the stream
//   in WORD…       one beat
// Arguments: script, seed, idle and stall probability (per cycle), beats expected, most cycles.
// Two more, where the build has VM_TRACE: a file for waveforms (VCD; cycle n lasts from 10 n to 10 n + 9), their first cycle.
// Prints `out CYCLE WORD…` for each beat that leaves and `in CYCLE` for each that enters.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "Vtop.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

namespace {

using Line = std::vector<std::string>;

template <typename Port>
void put(Port& port, const std::string& hex) {
  port = static_cast<Port>(std::stoull(hex, nullptr, 16));
}

template <std::size_t Words>
void put(VlWide<Words>& port, const std::string& hex) {
  const std::string padded = std::string(Words * 8 - std::min(hex.size(), Words * 8), '0') + hex;
  for (std::size_t i = 0; i < Words; ++i)
    port[i] = static_cast<EData>(std::stoul(padded.substr((Words - 1 - i) * 8, 8), nullptr, 16));
}

template <typename Port>
std::string get(const Port& port) {
  char text[20];
  std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(port));
  return text;
}

template <std::size_t Words>
std::string get(const VlWide<Words>& port) {
  std::string text;
  char word[12];
  for (std::size_t i = Words; i-- > 0;) {
    std::snprintf(word, sizeof word, "%08x", port[i]);
    text += word;
  }
  return text;
}

struct Script {
  Line constants;
  std::vector<Line> config, beats;
};

Script read(const char* path) {
  Script script;
  std::ifstream file(path);
  std::string text, kind, word;
  while (std::getline(file, text)) {
    std::istringstream fields(text);
    fields >> kind;
    Line line;
    while (fields >> word) line.push_back(word);
    if (kind == "static") script.constants = line;
    if (kind == "config") script.config.push_back(line);
    if (kind == "in") script.beats.push_back(line);
  }
  return script;
}

std::string output_words(const Vtop& top) {
  std::string text;
#define X(port) text += " " + get(top.port);
  OUTPUT_PORTS
#undef X
  return text;
}

void put_beat(Vtop& top, const Line& words) {
  std::size_t at = 0;
#define X(port) put(top.port, words.at(at++));
  INPUT_PORTS
#undef X
}

// Waveforms of the stream, not of reset and configuration before it.
class Waves {
 public:
#if VM_TRACE
  Waves(Vtop& top, const char* path, long first) : open_(path != nullptr), first_(10 * first) {
    if (!open_) return;
    Verilated::traceEverOn(true);
    top.trace(&file_, 99);
    file_.open(path);
  }
  ~Waves() {
    if (open_) file_.close();
  }
  void dump(long time) {
    if (open_ && time >= first_) file_.dump(static_cast<vluint64_t>(time));
  }

 private:
  bool open_;
  long first_;
  VerilatedVcdC file_;
#else
  Waves(Vtop&, const char*, long) {}
  void dump(long) {}
#endif
};

void tick(Vtop& top, Waves* waves = nullptr, long time = 0) {
  top.clk = 1;
  top.eval();
  if (waves != nullptr) waves->dump(time);
  top.clk = 0;
  top.eval();
}

void configure(Vtop& top, const Script& script) {
  std::size_t at = 0;
  (void)at;
#define X(port) put(top.port, script.constants.at(at++));
  STATIC_PORTS
#undef X
  for (const Line& words : script.config) {
    at = 0;
    (void)words;
#define X(port) put(top.port, words.at(at++));
    CONFIG_PORTS
#undef X
    tick(top);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7 && argc != 9) return 2;
  const Script script = read(argv[1]);
  std::mt19937 random(static_cast<unsigned>(std::atoi(argv[2])));
  const double idle = std::atof(argv[3]), stall = std::atof(argv[4]);
  const long expected = std::atol(argv[5]), most_cycles = std::atol(argv[6]);
  std::uniform_real_distribution<double> chance(0.0, 1.0);

  Vtop top;
  Waves waves(top, argc == 9 ? argv[7] : nullptr, argc == 9 ? std::atol(argv[8]) : 0);
  top.rst = 1;
  top.s_valid = 0;
  top.m_ready = 0;
  CONFIG_OFF(top);
  tick(top);
  tick(top);
  top.rst = 0;
  configure(top, script);
  CONFIG_OFF(top);

  std::size_t sent = 0;
  long received = 0, quiet = 0;
  std::string held;
  for (long cycle = 0; cycle < most_cycles && quiet < 64; ++cycle) {
    // A beat once offered stays until it is taken, as AXI4-Stream asks of a source.
    if (!top.s_valid && sent < script.beats.size() && chance(random) >= idle) {
      put_beat(top, script.beats[sent]);
      top.s_valid = 1;
    }
    top.m_ready = chance(random) >= stall;
    top.eval();
    waves.dump(10 * cycle);
    const bool taken = top.s_valid && top.s_ready, given = top.m_valid && top.m_ready;
    const std::string words = top.m_valid ? output_words(top) : "";
    if (!held.empty() && words != held) {
      std::fprintf(stderr, "cycle %ld: a waiting beat changed from%s to%s\n", cycle, held.c_str(), words.c_str());
      return 4;
    }
    held = top.m_valid && !top.m_ready ? words : "";
    if (taken) std::printf("in %ld\n", cycle);
    if (given) std::printf("out %ld%s\n", cycle, words.c_str());
    received += given;
    tick(top, &waves, 10 * cycle + 5);
    if (taken) {
      top.s_valid = 0;
      ++sent;
    }
    // Some quiet cycles after the last expected beat show that no surplus beat follows.
    quiet = received >= expected && sent == script.beats.size() ? quiet + 1 : 0;
  }
  top.final();
  if (received < expected || sent < script.beats.size()) {
    std::fprintf(stderr, "after %ld cycles %zu of %zu beats had entered and %ld of %ld left\n", most_cycles, sent,
                 script.beats.size(), received, expected);
    return 3;
  }
  return 0;
}
