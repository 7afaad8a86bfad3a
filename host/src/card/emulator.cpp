#include "card/emulator.hpp"

#include <algorithm>
#include <utility>

#include "batch.hpp"
#include "card/device_error.hpp"
#include "fixed.hpp"

namespace nvnmd::card {
namespace {

constexpr std::uint32_t kAtoms = kRegCounters + 1, kAnswers = 12, kCounts = 20;

// The word's field of `bits` bits at `at`, with its sign.
std::int32_t signed_field(std::uint64_t word, int at, int bits) {
  return static_cast<std::int32_t>(static_cast<std::int64_t>(word << (64 - at - bits)) >> (64 - bits));
}

}  // namespace

struct Emulator::Packet {
  std::uint8_t kind = 0;
  int type = 0;
  std::uint32_t sequence = 0;
  std::vector<std::uint64_t> body;
};

Emulator::Emulator(const std::vector<std::shared_ptr<const Model>>& models, std::uint32_t fitting_lanes, std::uint32_t identity) {
  if (models.empty()) throw DeviceError(Fault::unusable, "an emulated card needs at least one model");
  sizes_ = Sizes::of(*models.front(), fitting_lanes);
  sizes_.identity = identity;
  for (const auto& model : models) {
    auto kernel = make_kernel(model);
    auto workspace = kernel->make_workspace();
    known_.push_back({model, std::move(kernel), std::move(workspace), encode_load(*model, sizes_).tag});
  }
  registers_ = sizes_.registers();
  registers_[kRegEvents] = kEventReset;
}

void Emulator::reset() {
  loaded_ = nullptr;
  begun_ = false;
  write_register(kRegClear, 0);
  happen(kEventReset);
  registers_[kRegEvents] = kEventReset;
}

// An interrupt is asked for when the first enabled event happens, and not again before a write forgets it.
void Emulator::happen(std::uint32_t event) {
  const bool asked = registers_[kRegEvents] & enabled_;
  registers_[kRegEvents] |= event;
  if (!asked && (registers_[kRegEvents] & enabled_)) ++interrupts_;
}

std::uint32_t Emulator::take_interrupts() { return std::exchange(interrupts_, 0); }

std::uint32_t Emulator::read_register(std::uint32_t number) const {
  if (number == kRegModel) return loaded_ != nullptr;
  if (number == kRegTag) return loaded_ != nullptr ? loaded_->tag : 0;
  return number < registers_.size() ? registers_[number] : 0;
}

void Emulator::write_register(std::uint32_t number, std::uint32_t word) {
  if (number == kRegEvents) {
    enabled_ = word & 0xFF;
    registers_[kRegEvents] = 0;
  }
  if (number == kRegClear) std::fill_n(registers_.begin() + kRegCounters, 24, 0u);
}

Bytes Emulator::transfer(std::span<const std::byte> data) {
  Bytes out;
  while (!data.empty()) data = data.subspan(answer_one(data, out));
  return out;
}

void Emulator::say(Bytes& out, std::uint8_t kind, Status status, std::uint32_t sequence) {
  append_answer(out, kind, status, sequence);
  if (status != Status::ok) happen(1u << static_cast<unsigned>(status));
}

// Answers the packet at the start of `data`; the bytes that are done with.
std::size_t Emulator::answer_one(std::span<const std::byte> data, Bytes& out) {
  const auto drop = [&](std::uint8_t kind, Status status) {
    ++registers_[kAnswers + static_cast<std::size_t>(status)];
    say(out, kind, status, 0);
    return data.size();
  };
  if (data.size() < kPacketBytes) return drop(0, Status::truncated);
  const std::uint64_t word = load_word(data.data());
  Packet packet{static_cast<std::uint8_t>(word >> 16), static_cast<int>(word >> 24 & 0xFF), 0, {}};
  const std::size_t count = word >> 32 & 0xFFFF, bytes = packet_bytes(count);
  if ((word & 0xFFFF) != kMagic || word >> 48 != kVersion || packet.kind < 1 || packet.kind > 4) return drop(packet.kind, Status::bad_header);
  if (count > sizes_.max_body) return drop(packet.kind, Status::too_long);
  if (data.size() < bytes) return drop(packet.kind, Status::truncated);
  if (!checksum_holds(data.first(bytes))) return drop(packet.kind, Status::bad_checksum);
  packet.sequence = sequence_of(data.first(bytes));
  for (std::size_t n = 1; n <= count; ++n) packet.body.push_back(load_word(&data[8 * n]));
  const Status status = take(packet, out);
  ++registers_[kAnswers + static_cast<std::size_t>(status)];
  return bytes;
}

Status Emulator::take(const Packet& packet, Bytes& out) {
  if (packet.kind == static_cast<std::uint8_t>(Kind::atom)) return evaluate(packet, out);
  const Status status = load(packet);
  if (status != Status::ok) {
    begun_ = false;
    loaded_ = nullptr;
  }
  say(out, packet.kind, status, packet.sequence);
  return status;
}

Status Emulator::evaluate(const Packet& packet, Bytes& out) {
  const auto types = static_cast<int>(sizes_.types);
  const bool typed = packet.type < types && std::all_of(packet.body.begin(), packet.body.end(), [types](std::uint64_t word) { return word >> 54 < static_cast<std::uint64_t>(types); });
  Status status = !typed ? Status::bad_type : loaded_ == nullptr ? Status::no_model : Status::ok;
  // A card would evaluate them as long as its packets hold them; the kernels have no room for more than the model's.
  if (status == Status::ok && packet.body.size() > static_cast<std::size_t>(loaded_->model->max_neighbors)) status = Status::too_long;
  if (status != Status::ok) {
    say(out, packet.kind, status, packet.sequence);
    return status;
  }
  const Model& model = *loaded_->model;
  const auto n = static_cast<int>(packet.body.size());
  AtomBatch batch(1, std::max(n, 1));
  batch.center_type = packet.type;
  batch.size = 1;
  batch.first[1] = n;
  for (std::size_t p = 0; p < packet.body.size(); ++p) {
    const std::int64_t x = signed_field(packet.body[p], 0, 18), y = signed_field(packet.body[p], 18, 18), z = signed_field(packet.body[p], 36, 18);
    batch.x[p] = static_cast<std::int32_t>(x);
    batch.y[p] = static_cast<std::int32_t>(y);
    batch.z[p] = static_cast<std::int32_t>(z);
    batch.u[p] = static_cast<std::int32_t>(std::min(rnd(x * x + y * y + z * z, model.shifts.u), std::int64_t{model.u_cut} - 1));
    batch.type[p] = static_cast<std::int32_t>(packet.body[p] >> 54 & 31);
  }
  BatchResult result(batch);
  loaded_->kernel->run(batch, result, *loaded_->workspace);
  const auto forces = [n](const std::vector<std::int32_t>& f) { return std::span(f).first(static_cast<std::size_t>(n)); };
  AnswerWords words{result.energy[0], forces(result.fx), forces(result.fy), forces(result.fz), {}};
  for (std::size_t stage = 0; stage <= kStages; ++stage) {
    const std::int64_t count = stage < kStages ? result.counters.clipped[stage] : result.counters.too_close;
    words.counts[stage] = static_cast<std::uint16_t>(count);
    registers_[kCounts + stage] += static_cast<std::uint32_t>(count);
  }
  ++registers_[kAtoms];
  append_answer(out, packet.kind, Status::ok, packet.sequence, words);
  return Status::ok;
}

// Rows are not written anywhere: their checksum says which of the known models they are.
Status Emulator::load(const Packet& packet) {
  const auto kind = static_cast<Kind>(packet.kind);
  loaded_ = nullptr;
  if (packet.body.empty()) return Status::bad_load;
  if (kind == Kind::load_begin) {
    begun_ = (packet.body[0] & 0xFFFFFFFF) == sizes_.identity;
    announced_ = static_cast<std::uint32_t>(packet.body[0] >> 32);
    tag_ = 0;
    rows_ = 0;
    return begun_ ? Status::ok : Status::bad_load;
  }
  if (!begun_) return Status::bad_load;
  if (kind == Kind::load_rows) {
    const std::uint64_t words = packet.body[0] >> 8 & 0xFF;
    if (words == 0 || (packet.body.size() - 1) % words != 0) return Status::bad_load;
    rows_ += (packet.body.size() - 1) / words;
    tag_ = crc32(std::as_bytes(std::span(packet.body)), tag_);
    return Status::ok;
  }
  const auto found = std::find_if(known_.begin(), known_.end(), [this](const Known& known) { return known.tag == tag_; });
  if (packet.body[0] != rows_ || tag_ != announced_ || found == known_.end()) return Status::bad_load;
  begun_ = false;
  loaded_ = &*found;
  return Status::ok;
}

}  // namespace nvnmd::card
