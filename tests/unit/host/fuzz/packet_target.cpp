// The parsers of both ends of the link on whatever bytes: the host's of answers, and the emulated card's of packets.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "card/emulator.hpp"
#include "card/probe.hpp"
#include "card/transfer.hpp"
#include "model.hpp"
#include "target.hpp"

namespace {

using namespace nvnmd;
using namespace nvnmd::card;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

constexpr std::uint32_t kSequence = 5;

const std::shared_ptr<const Model>& the_model() {
  static const std::shared_ptr<const Model> model = Model::load(NVNMD_FUZZ_MODEL);
  return model;
}

// What a transfer of test atoms gets from a loaded card.
struct Known {
  Emulator card{{the_model()}, 3, 1};
  Transfer transfer{kProbeAtoms, the_model()->max_neighbors};
  BatchResult expected{transfer.batch};

  Known() {
    load();
    fill_probe(*the_model(), 0, transfer.batch);
    transfer.encode(kSequence);
    const auto kernel = make_kernel(the_model(), "portable");
    kernel->run(transfer.batch, expected, *kernel->make_workspace());
  }

  void load() {
    for (const Bytes& packet : load_packets()) card.transfer(packet);
  }
  std::vector<Bytes> load_packets() const {
    return encode_load(*the_model(), Sizes::read([this](std::uint32_t number) { return card.read_register(number); })).packets;
  }
};

Known& known() {
  static Known value;
  return value;
}

std::string text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// The same bytes with right checksums wherever their headers say that a packet ends, so that what is behind the check is tried too.
Bytes sealed(std::span<const std::byte> data) {
  Bytes whole(data.begin(), data.end());
  for (std::size_t at = 0; at + kPacketBytes <= whole.size();) {
    const std::size_t bytes = packet_bytes(load_word(&whole[at]) >> 32 & 0xFFFF);
    if (at + bytes > whole.size()) break;
    std::byte* last = &whole[at + bytes - 8];
    store_word(last, load_word(last) & 0xFFFFFFFF);
    store_word(last, load_word(last) | std::uint64_t{crc32(std::span(whole).subspan(at, bytes))} << 32);
    at += bytes;
  }
  return whole;
}

// Bytes where answers are due: they are refused, or they are the answers.
void as_answers(Known& known, std::span<const std::byte> data) {
  Transfer& transfer = known.transfer;
  transfer.encode(kSequence);
  for (std::size_t at = 0, piece = 1; at < data.size() && !transfer.complete(); at += piece) {
    piece = std::min({data.size() - at, transfer.room().size(), at % 3 == 0 ? std::size_t{7} : std::size_t{100}});
    std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(at), piece, transfer.room().begin());
    if (transfer.received(piece)) return;
  }
  if (!transfer.complete() || transfer.check()) return;
  if (!same(transfer.batch, transfer.result, known.expected)) fail("wrong forces were taken for right");
  accepted = true;
}

// Bytes where packets are due: every answer is sound, and the card still works afterwards.
void as_packets(Known& known, std::span<const std::byte> data) {
  const Bytes answers = known.card.transfer(data);
  for (std::size_t at = 0; at < answers.size();) {
    const auto answer = read_answer(std::span(answers).subspan(at));
    if (!answer) fail("the emulated card sent something that is no answer");
    at += answer->bytes;
    accepted |= answer->status == Status::ok;
  }
  Bytes packet;
  append_packet(packet, Kind::atom, {}, 9);
  const auto answer = read_answer(known.card.transfer(packet));
  if (!answer || answer->sequence != 9 || (answer->status != Status::ok && answer->status != Status::no_model)) fail("the card is out of step");
}

}  // namespace

bool accepted = false;

std::vector<std::string> own_inputs() {
  std::vector<std::string> inputs = {text_of(known().transfer.bytes()), text_of(known().card.transfer(known().transfer.bytes()))};
  for (const Bytes& packet : known().load_packets()) {
    if (inputs.size() < 40) inputs.push_back(text_of(packet));
  }
  return inputs;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  accepted = false;
  if (known().card.read_register(kRegModel) != 1) known().load();
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  as_answers(known(), bytes);
  as_packets(known(), bytes);
  as_packets(known(), sealed(bytes));
  return 0;
}
