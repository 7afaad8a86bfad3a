#include <cstring>
#include <random>

#include <catch2/catch.hpp>

#include "card/codec_time.hpp"
#include "card/emulator.hpp"
#include "card/packet.hpp"
#include "card/probe.hpp"
#include "card/sizes.hpp"
#include "card/transfer.hpp"
#include "tiny_model.hpp"

using namespace nvnmd;
using namespace nvnmd::card;
using Catch::Matchers::Contains;

namespace {

Bytes bytes_of(const std::string& text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

Bytes random_bytes(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

Transfer probe(const Model& model, std::uint32_t sequence) {
  Transfer transfer(kProbeAtoms, model.max_neighbors);
  fill_probe(model, 0, transfer.batch);
  transfer.encode(sequence);
  return transfer;
}

// The answers of an emulated card that has been loaded.
Bytes answers(const std::shared_ptr<const Model>& model, const Transfer& transfer) {
  Emulator card({model}, 3, 1);
  for (const Bytes& packet : encode_load(*model, Sizes::read([&](std::uint32_t n) { return card.read_register(n); })).packets) card.transfer(packet);
  REQUIRE(card.read_register(kRegModel) == 1);
  return card.transfer(transfer.bytes());
}

std::optional<Problem> receive(Transfer& transfer, const Bytes& bytes, std::size_t piece) {
  for (std::size_t at = 0; at < bytes.size() && !transfer.complete(); at += piece) {
    const std::size_t count = std::min({piece, bytes.size() - at, transfer.room().size()});
    std::memcpy(transfer.room().data(), bytes.data() + at, count);
    if (auto problem = transfer.received(count)) return problem;
  }
  return transfer.complete() ? transfer.check() : std::optional<Problem>({Fault::silent, "too few bytes"});
}

}  // namespace

TEST_CASE("the checksum is that of Ethernet and zlib, with and without vector instructions") {
  CHECK(crc32(bytes_of("123456789")) == 0xCBF43926);
  CHECK(crc32({}) == 0);
  for (std::size_t size : {1u, 7u, 15u, 16u, 63u, 64u, 65u, 127u, 128u, 131u, 192u, 1000u, 4096u}) {
    const Bytes data = random_bytes(size, static_cast<unsigned>(size));
    CHECK(crc32(data) == crc32_portable(data));
    const std::size_t cut = size / 3;
    CHECK(crc32(std::span(data).subspan(cut), crc32(std::span(data).first(cut))) == crc32_portable(data));
  }
}

TEST_CASE("packets have the sizes of the protocol") {
  CHECK(packet_bytes(0) == 64);
  CHECK(packet_bytes(6) == 64);
  CHECK(packet_bytes(7) == 128);
  CHECK(answer_bytes(0) == 64);
  CHECK(answer_bytes(1) == 64);
  CHECK(answer_bytes(2) == 128);
}

TEST_CASE("an emulated card computes what the kernel computes") {
  const auto model = TinyModel().load();
  Transfer transfer = probe(*model, 77);
  REQUIRE_FALSE(receive(transfer, answers(model, transfer), 10000));
  BatchResult expected(transfer.batch);
  const auto kernel = make_kernel(model, "portable");
  kernel->run(transfer.batch, expected, *kernel->make_workspace());
  CHECK(same(transfer.batch, transfer.result, expected));
  expected.fx[0] += 1;
  CHECK_FALSE(same(transfer.batch, transfer.result, expected));
}

TEST_CASE("answers may come in pieces of any size") {
  const auto model = TinyModel().load();
  Transfer transfer = probe(*model, 0xFFFFFFF0);
  const Bytes sound = answers(model, transfer);
  for (const std::size_t piece : {1u, 7u, 64u, 100u, 5000u}) {
    transfer.restart();
    CHECK_FALSE(receive(transfer, sound, piece));
  }
}

TEST_CASE("every single flipped bit of the answers is found") {
  const auto model = TinyModel().load();
  Transfer transfer = probe(*model, 5);
  const Bytes sound = answers(model, transfer);
  for (std::size_t bit = 0; bit < 8 * sound.size(); ++bit) {
    Bytes damaged = sound;
    damaged[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    transfer.restart();
    const auto problem = receive(transfer, damaged, 10000);
    if (!problem) FAIL("bit " << bit << " was missed");
  }
}

TEST_CASE("what is wrong with answers has a name") {
  const auto model = TinyModel().load();
  Transfer transfer = probe(*model, 5);
  const Bytes sound = answers(model, transfer);
  const auto fault_of = [&](const Bytes& bytes) {
    transfer.restart();
    const auto problem = receive(transfer, bytes, 10000);
    REQUIRE(problem);
    return problem->fault;
  };
  const std::size_t first = answer_bytes(0);
  CHECK(fault_of({sound.begin() + static_cast<std::ptrdiff_t>(first), sound.end()}) == Fault::sequence);  // lost
  Bytes twice(sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(first));
  twice.insert(twice.end(), sound.begin(), sound.end());
  CHECK(fault_of(twice) == Fault::sequence);
  CHECK(fault_of({sound.begin() + 9, sound.end()}) == Fault::corrupt);
  CHECK(fault_of({sound.begin(), sound.end() - 1}) == Fault::silent);
  Bytes says;
  append_answer(says, 1, Status::no_model, 5);
  CHECK(fault_of(says) == Fault::no_model);
  says.clear();
  append_answer(says, 1, Status::bad_checksum, 0);
  CHECK(fault_of(says) == Fault::refused);
}

TEST_CASE("random bytes are never an answer") {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    Bytes data = random_bytes(64 + 64 * (seed % 5), seed);
    if (seed % 2 == 0) store_word(data.data(), wanted_header(seed % 10));
    CHECK_FALSE(read_answer(data));
  }
}

TEST_CASE("a card says what it cannot do") {
  const auto model = TinyModel().load();
  Emulator card({model}, 3, 9);
  const auto status_of = [&](const Bytes& data) { return read_answer(card.transfer(data))->status; };
  Bytes packet;
  append_packet(packet, Kind::atom, {}, 4);
  CHECK(status_of(packet) == Status::no_model);
  CHECK(read_answer(card.transfer(packet))->sequence == 4);
  Bytes damaged = packet;
  damaged[20] ^= std::byte{1};
  CHECK(status_of(damaged) == Status::bad_checksum);
  CHECK(read_answer(card.transfer(damaged))->sequence == 0);
  CHECK(status_of({packet.begin(), packet.begin() + 32}) == Status::truncated);
  damaged = packet;
  damaged[0] ^= std::byte{1};
  CHECK(status_of(damaged) == Status::bad_header);
  Bytes other;
  append_packet(other, Kind::atom, {}, 4, 1);
  CHECK(status_of(other) == Status::bad_type);
  other.clear();
  const std::uint64_t identity = 8;
  append_packet(other, Kind::load_begin, std::span(&identity, 1), 4);
  CHECK(status_of(other) == Status::bad_load);
}

TEST_CASE("a model that does not fit the card is refused with the size") {
  const auto model = TinyModel().load();
  Sizes sizes = Sizes::of(*model, 3);
  CHECK_NOTHROW(sizes.check(*model));
  sizes.width = 64;
  CHECK_THROWS_WITH(sizes.check(*model), Contains("built for width = 64, the model has 2"));
  sizes = Sizes::of(*model, 3);
  sizes.segments = 1;
  CHECK_THROWS_WITH(encode_load(*model, sizes), Contains("segments = 1"));
  CHECK_THROWS_WITH(Sizes::read([](std::uint32_t) { return 0xFFFFFFFFu; }), Contains("no accelerator"));
}

TEST_CASE("a load does not depend on its numbers") {
  const auto model = TinyModel().load();
  const Sizes sizes = Sizes::of(*model, 3);
  CHECK(encode_load(*model, sizes, 1).tag == encode_load(*model, sizes, 1000).tag);
}

TEST_CASE("packing and unpacking can be timed") {
  const auto model = TinyModel().load();
  const CodecTime time = time_packets(*model, 3, 16, 1e-4);
  CHECK(time.pack_s > 0.0);
  CHECK(time.unpack_s > 0.0);
  CHECK_THROWS_WITH(time_packets(*model, 4, 16, 1e-4), Contains("holds 3"));
}
