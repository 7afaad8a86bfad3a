#include "card/packet.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace nvnmd::card {
namespace {

static_assert(std::endian::native == std::endian::little, "packets are little-endian, as the words of this CPU have to be");

constexpr int kDxBits = 18;
constexpr std::uint64_t kDxMask = (std::uint64_t{1} << kDxBits) - 1;
constexpr std::size_t kChecksumBytes = 4, kTrailerBytes = 32;

std::byte* grow(Bytes& out, std::size_t bytes) {
  out.resize(out.size() + bytes);
  return out.data() + (out.size() - bytes);
}

std::uint64_t header(std::uint64_t kind, std::uint64_t type_or_status, std::uint64_t count) {
  return kMagic | kind << 16 | type_or_status << 24 | count << 32 | kVersion << 48;
}

// The checksum counts its own four bytes as zero.
std::uint32_t checksum(std::span<const std::byte> packet) {
  constexpr std::array<std::byte, kChecksumBytes> zeros{};
  return crc32(zeros, crc32(packet.first(packet.size() - kChecksumBytes)));
}

void seal(std::byte* packet, std::size_t bytes, std::uint32_t sequence) {
  std::byte* last = packet + bytes - 8;
  store_word(last, sequence);
  store_word(last, sequence | static_cast<std::uint64_t>(checksum({packet, bytes})) << 32);
}

std::uint64_t neighbor_word(std::int32_t x, std::int32_t y, std::int32_t z, std::int32_t type) {
  const auto field = [](std::int32_t word, int at) { return (static_cast<std::uint64_t>(word) & kDxMask) << at; };
  return field(x, 0) | field(y, kDxBits) | field(z, 2 * kDxBits) | static_cast<std::uint64_t>(type) << 3 * kDxBits;
}

}  // namespace

const char* describe(Status status) {
  switch (status) {
    case Status::ok: return "done";
    case Status::no_model: return "no model is loaded";
    case Status::bad_checksum: return "a packet reached the card with a wrong checksum";
    case Status::bad_header: return "a packet reached the card with a wrong header";
    case Status::too_long: return "a packet is longer than the card holds";
    case Status::bad_type: return "an atom's type is not in the card";
    case Status::truncated: return "a transfer ended inside a packet";
    case Status::bad_load: return "the card refused the model";
  }
  return "unknown status";
}

std::uint64_t load_word(const std::byte* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

void store_word(std::byte* at, std::uint64_t word) { std::memcpy(at, &word, sizeof word); }

void append_packet(Bytes& out, Kind kind, std::span<const std::uint64_t> body, std::uint32_t sequence, int center_type) {
  const std::size_t bytes = packet_bytes(body.size());
  std::byte* packet = grow(out, bytes);
  std::memset(packet, 0, bytes);
  store_word(packet, header(static_cast<std::uint64_t>(kind), static_cast<std::uint64_t>(center_type), body.size()));
  std::ranges::copy(std::as_bytes(body), packet + 8);
  seal(packet, bytes, sequence);
}

void append_atom(Bytes& out, const AtomBatch& batch, int k, std::uint32_t sequence) {
  const auto begin = static_cast<std::size_t>(batch.first[static_cast<std::size_t>(k)]);
  const auto end = static_cast<std::size_t>(batch.first[static_cast<std::size_t>(k) + 1]);
  const std::size_t bytes = packet_bytes(end - begin);
  std::byte* packet = grow(out, bytes);
  store_word(packet, header(static_cast<std::uint64_t>(Kind::atom), static_cast<std::uint64_t>(batch.center_type), end - begin));
  std::byte* at = packet + 8;
  for (std::size_t p = begin; p < end; ++p, at += 8) store_word(at, neighbor_word(batch.x[p], batch.y[p], batch.z[p], batch.type[p]));
  std::memset(at, 0, static_cast<std::size_t>(packet + bytes - at));
  seal(packet, bytes, sequence);
}

std::uint32_t sequence_of(std::span<const std::byte> packet) { return static_cast<std::uint32_t>(load_word(packet.data() + packet.size() - 8)); }

bool checksum_holds(std::span<const std::byte> packet) {
  return static_cast<std::uint32_t>(load_word(packet.data() + packet.size() - 8) >> 32) == checksum(packet);
}

std::optional<Answer> read_answer(std::span<const std::byte> data) {
  if (data.size() < kPacketBytes) return {};
  const std::uint64_t word = load_word(data.data());
  const auto field = [word](int at, std::uint64_t mask) { return word >> at & mask; };
  const std::uint64_t kind = field(16, 0xFF), status = field(24, 0xFF), count = field(32, 0xFFFF);
  if (field(0, 0xFFFF) != kMagic || word >> 48 != kVersion || !(kind & kReply) || status >= kStatuses) return {};
  const bool forces = kind == (static_cast<std::uint64_t>(Kind::atom) | kReply) && status == 0;
  if (count != 0 && !forces) return {};
  const std::size_t bytes = answer_bytes(count);
  if (bytes > data.size() || !checksum_holds(data.first(bytes))) return {};
  return Answer{static_cast<std::uint8_t>(kind ^ kReply), static_cast<Status>(status), sequence_of(data.first(bytes)), count, bytes};
}

void take_answer(std::span<const std::byte> answer, const AtomBatch& batch, int k, BatchResult& result) {
  const auto atom = static_cast<std::size_t>(k);
  result.energy[atom] = static_cast<std::int64_t>(load_word(answer.data() + 8));
  const std::byte* at = answer.data() + 16;
  for (auto p = static_cast<std::size_t>(batch.first[atom]); p < static_cast<std::size_t>(batch.first[atom + 1]); ++p, at += 16) {
    const std::uint64_t low = load_word(at), high = load_word(at + 8);
    result.fx[p] = static_cast<std::int32_t>(low);
    result.fy[p] = static_cast<std::int32_t>(low >> 32);
    result.fz[p] = static_cast<std::int32_t>(high);
  }
  std::array<std::uint16_t, kStages + 1> counts;
  std::memcpy(counts.data(), answer.data() + answer.size() - kTrailerBytes, sizeof counts);
  for (std::size_t stage = 0; stage < kStages; ++stage) result.counters.clipped[stage] += counts[stage];
  result.counters.too_close += counts[kStages];
}

void append_answer(Bytes& out, std::uint8_t kind, Status status, std::uint32_t sequence, const AnswerWords& words) {
  const std::size_t n = words.fx.size(), bytes = answer_bytes(n);
  std::byte* packet = grow(out, bytes);
  std::memset(packet, 0, bytes);
  store_word(packet, header(kind | kReply, static_cast<std::uint64_t>(status), n));
  store_word(packet + 8, static_cast<std::uint64_t>(words.energy));
  for (std::size_t j = 0; j < n; ++j) {
    const auto word = [j](std::span<const std::int32_t> f) { return std::uint64_t{static_cast<std::uint32_t>(f[j])}; };
    store_word(packet + 16 * (j + 1), word(words.fx) | word(words.fy) << 32);
    store_word(packet + 16 * (j + 1) + 8, word(words.fz));
  }
  std::memcpy(packet + bytes - kTrailerBytes, words.counts.data(), sizeof words.counts);
  seal(packet, bytes, sequence);
}

}  // namespace nvnmd::card
