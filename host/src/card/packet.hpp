// Packets of docs/stream.md: atoms to bytes, and answers checked byte for byte before a word of them is used.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "batch.hpp"

namespace nvnmd::card {

using Bytes = std::vector<std::byte>;

inline constexpr std::uint64_t kMagic = 0x564E, kVersion = 1;
inline constexpr std::size_t kPacketBytes = 64;  // packets are multiples of this
inline constexpr std::uint8_t kReply = 0x80;

enum class Kind : std::uint8_t { atom = 1, load_begin = 2, load_rows = 3, load_end = 4 };

enum class Status : std::uint8_t {
  ok = 0,
  no_model = 1,
  bad_checksum = 2,
  bad_header = 3,
  too_long = 4,
  bad_type = 5,
  truncated = 6,
  bad_load = 7,
};
inline constexpr std::uint8_t kStatuses = 8;

// What a status means, for messages.
const char* describe(Status status);

// CRC-32 as in Ethernet and zlib over `data`, continuing from `state`, the checksum of what came before.
std::uint32_t crc32(std::span<const std::byte> data, std::uint32_t state = 0);
// The same without the instructions of the CPU; for tests.
std::uint32_t crc32_portable(std::span<const std::byte> data, std::uint32_t state = 0);

constexpr std::size_t packet_bytes(std::size_t body_words) { return kPacketBytes * ((body_words + 2 + 7) / 8); }
constexpr std::size_t answer_bytes(std::size_t neighbors) { return kPacketBytes * ((2 * neighbors + 6 + 7) / 8); }

std::uint64_t load_word(const std::byte* at);
void store_word(std::byte* at, std::uint64_t word);

// Appends a packet of any kind.
void append_packet(Bytes& out, Kind kind, std::span<const std::uint64_t> body, std::uint32_t sequence, int center_type = 0);

// Appends atom `k` of a batch.
void append_atom(Bytes& out, const AtomBatch& batch, int k, std::uint32_t sequence);

// Word 0 of the answer that an atom with so many neighbors gets when all is well.
constexpr std::uint64_t wanted_header(std::size_t neighbors) {
  return kMagic | (static_cast<std::uint64_t>(Kind::atom) | kReply) << 16 | static_cast<std::uint64_t>(neighbors) << 32 | kVersion << 48;
}

// Sequence number of an answer (or packet) whose bytes lie in `packet`.
std::uint32_t sequence_of(std::span<const std::byte> packet);

// Whether the checksum at the end of a packet or answer is that of its bytes.
bool checksum_holds(std::span<const std::byte> packet);

// An answer without its forces.
struct Answer {
  std::uint8_t kind = 0;  // of the packet that is answered
  Status status = Status::ok;
  std::uint32_t sequence = 0;
  std::size_t neighbors = 0;
  std::size_t bytes = 0;
};

// Reads the answer at the start of `data` whatever those bytes are; nothing when no whole, sound answer starts there.
std::optional<Answer> read_answer(std::span<const std::byte> data);

// Energy, forces and counts of a sound answer with status ok, to atom `k` of the batch.
void take_answer(std::span<const std::byte> answer, const AtomBatch& batch, int k, BatchResult& result);

// Appends an answer, as a card writes it; `forces` are fx, fy, fz by neighbor and `counts` those of the trailer.
struct AnswerWords {
  std::int64_t energy = 0;
  std::span<const std::int32_t> fx, fy, fz;
  std::array<std::uint16_t, kStages + 1> counts{};
};
void append_answer(Bytes& out, std::uint8_t kind, Status status, std::uint32_t sequence, const AnswerWords& words = {});

}  // namespace nvnmd::card
