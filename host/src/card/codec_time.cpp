#include "card/codec_time.hpp"

#include <algorithm>
#include <chrono>

#include "card/transfer.hpp"
#include "error.hpp"
#include "text.hpp"

namespace nvnmd::card {
namespace {

// Seconds that one call of `action` takes, the mean over at least `seconds`.
template <class Action>
double time_of(double seconds, Action action) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  std::chrono::duration<double> passed{0.0};
  long calls = 0;
  do {
    action();
    ++calls;
    passed = Clock::now() - start;
  } while (passed.count() < seconds);
  return passed.count() / static_cast<double>(calls);
}

}  // namespace

CodecTime time_packets(const Model& model, int neighbors, int atoms, double seconds) {
  if (neighbors < 0 || neighbors > model.max_neighbors || atoms < 1 || atoms > 65536) {
    throw Error(ErrorCode::out_of_range, text(atoms, " atoms with ", neighbors, " neighbors cannot be timed; the model holds ", model.max_neighbors));
  }
  Transfer transfer(atoms, std::max(neighbors, 1));
  transfer.batch.size = atoms;
  for (int k = 0; k < atoms; ++k) transfer.batch.first[static_cast<std::size_t>(k) + 1] = (k + 1) * neighbors;
  Bytes answers;
  const std::vector<std::int32_t> forces(static_cast<std::size_t>(neighbors), 1);
  for (int k = 0; k < atoms; ++k) {
    append_answer(answers, static_cast<std::uint8_t>(Kind::atom), Status::ok, 1 + static_cast<std::uint32_t>(k), {1, forces, forces, forces, {}});
  }
  CodecTime time;
  time.pack_s = time_of(seconds, [&] { transfer.encode(1); }) / atoms;
  time.unpack_s = time_of(seconds, [&] {
                    transfer.restart();
                    std::copy(answers.begin(), answers.end(), transfer.room().begin());
                    if (transfer.received(answers.size()) || transfer.check()) throw Error(ErrorCode::device, "the host does not understand its own answers");
                  }) / atoms;
  return time;
}

}  // namespace nvnmd::card
