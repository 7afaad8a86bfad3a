#include "card/transfer.hpp"

#include "text.hpp"

namespace nvnmd::card {
namespace {

std::size_t neighbors(const AtomBatch& batch, std::size_t k) { return static_cast<std::size_t>(batch.first[k + 1] - batch.first[k]); }

}  // namespace

void Transfer::encode(std::uint32_t sequence) {
  sequence_ = sequence;
  const auto size = static_cast<std::size_t>(batch.size);
  out_.clear();
  begin_.assign(1, 0);
  for (std::size_t k = 0; k < size; ++k) {
    append_atom(out_, batch, static_cast<int>(k), sequence + static_cast<std::uint32_t>(k));
    begin_.push_back(begin_.back() + answer_bytes(neighbors(batch, k)));
  }
  in_.resize(begin_.back());
  restart();
}

void Transfer::restart() { have_ = seen_ = 0; }

std::span<const std::byte> Transfer::answer(std::size_t k) const { return std::span(in_).subspan(begin_[k], begin_[k + 1] - begin_[k]); }

std::optional<Problem> Transfer::received(std::size_t count) {
  have_ += count;
  for (; seen_ < static_cast<std::size_t>(batch.size) && have_ >= begin_[seen_] + 8; ++seen_) {
    const bool expected = load_word(&in_[begin_[seen_]]) == wanted_header(neighbors(batch, seen_));
    // An answer that says what went wrong is shorter than the expected one, never longer.
    if (have_ < (expected ? begin_[seen_ + 1] : begin_[seen_] + kPacketBytes)) return {};
    if (!expected || sequence_of(answer(seen_)) != sequence_ + static_cast<std::uint32_t>(seen_)) return explain(seen_);
  }
  return {};
}

std::optional<Problem> Transfer::check() {
  result.counters = {};
  for (std::size_t k = 0; k < static_cast<std::size_t>(batch.size); ++k) {
    if (!checksum_holds(answer(k))) return at_atom(Fault::corrupt, "the checksum of an answer is wrong", k);
    take_answer(answer(k), batch, static_cast<int>(k), result);
  }
  return {};
}

// Why the bytes at answer `k` are not the answer to atom `k`.
Problem Transfer::explain(std::size_t k) const {
  const std::optional<Answer> found = read_answer(std::span(in_).subspan(begin_[k], have_ - begin_[k]));
  if (!found) return at_atom(Fault::corrupt, "what came back is no answer, or its checksum is wrong", k);
  if (found->kind != static_cast<std::uint8_t>(Kind::atom) || found->status == Status::ok) {
    return at_atom(Fault::sequence, text("answer number ", found->sequence, " came where ", sequence_ + k, " was due"), k);
  }
  const Fault fault = found->status == Status::no_model ? Fault::no_model : Fault::refused;
  const bool own = found->sequence == sequence_ + static_cast<std::uint32_t>(k);
  return at_atom(fault, describe(found->status), k, own && found->status == Status::bad_type);
}

Problem Transfer::at_atom(Fault fault, const std::string& what, std::size_t k, bool final) const { return {fault, what, batch.atom[k], final}; }

}  // namespace nvnmd::card
