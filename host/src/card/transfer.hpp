// One batch on its way to the card and back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "batch.hpp"
#include "card/device_error.hpp"
#include "card/packet.hpp"

namespace nvnmd::card {

// A fault and where it showed.
struct Problem {
  Fault fault;
  std::string what;  // a clause: "the checksum of an answer is wrong"
  int atom = -1;     // index into the caller's arrays
  bool final = false;  // another attempt would end the same
};

class Transfer {
 public:
  Transfer(int atoms, int max_neighbors) : batch(atoms, max_neighbors), result(batch) {}

  AtomBatch batch;
  BatchResult result;
  int number = -1;  // of the batch

  // Writes a packet for every atom, numbered from `sequence`.
  void encode(std::uint32_t sequence);
  std::span<const std::byte> bytes() const { return out_; }

  // Forgets what has been received.
  void restart();
  bool complete() const { return have_ == in_.size(); }
  // Where the next bytes go.
  std::span<std::byte> room() { return std::span(in_).subspan(have_); }
  // `count` bytes have come. Looks at the headers and numbers of whole answers.
  std::optional<Problem> received(std::size_t count);
  // Checks the answers of a complete transfer and takes their words over; the result is valid when there is no problem.
  std::optional<Problem> check();

 private:
  std::span<const std::byte> answer(std::size_t k) const;
  Problem explain(std::size_t k) const;
  Problem at_atom(Fault fault, const std::string& what, std::size_t k, bool final = false) const;

  Bytes out_, in_;
  std::uint32_t sequence_ = 0;
  std::vector<std::size_t> begin_;  // [size + 1] of the answers
  std::size_t have_ = 0, seen_ = 0; // bytes; answers glanced at
};

}  // namespace nvnmd::card
