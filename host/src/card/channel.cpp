#include "card/channel.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "card/probe.hpp"
#include "text.hpp"

namespace nvnmd::card {
namespace {

constexpr std::size_t kLoadPackets = 32;       // a transfer
constexpr std::size_t kMostStray = 64u << 20;  // bytes between a fault and the answer to the marker

std::size_t index(Fault fault) { return static_cast<std::size_t>(fault); }

Problem problem_of(const DeviceError& error) { return {error.fault(), error.what(), error.atom()}; }

}  // namespace

Channel::Channel(std::shared_ptr<const Model> model, const CardOptions& options, LinkOpener opener)
    : model_(std::move(model)), kernel_(make_kernel(model_, "portable")), options_(options), opener_(std::move(opener)),
      sequence_(std::random_device()()) {}

// Starts anywhere, so that what another process has left in the stream is not taken for an answer. Zero is the card's own.
std::uint32_t Channel::take_sequence(std::uint32_t count) {
  if (sequence_ == 0 || sequence_ + count < sequence_) sequence_ = 1;
  return std::exchange(sequence_, sequence_ + count);
}

Clock::time_point Channel::deadline() const { return Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(options_.timeout_s)); }

void Channel::connect() {
  link_.reset();
  link_ = opener_();
}

void Channel::open() {
  attempts_ = 0;
  connect();
  try {
    if (std::exchange(lost_, false)) synchronize();
    ensure_model();
  } catch (const DeviceError& error) {
    if (error.fault() == Fault::unusable) throw;
    recover(problem_of(error));
  }
}

void Channel::close() {
  // A nudge that nobody has read the answer to stands in the stream.
  if (watch_ && watch_->noticed()) lost_ = true;
  watch_.reset();
  link_.reset();
}

// From here on resets are heard of; those before are forgotten.
void Channel::listen() {
  if (!link_->has_events()) return;
  link_->write_register(kRegEvents, kEventReset);
  Bytes nudge;
  append_packet(nudge, Kind::atom, {}, take_sequence(1));
  watch_ = std::make_unique<EventWatch>(*link_, std::move(nudge), std::chrono::duration_cast<Clock::duration>(Seconds(options_.timeout_s)));
}

std::optional<Problem> Channel::send(const Transfer& transfer) {
  try {
    link_->send(transfer.bytes(), deadline());
    return {};
  } catch (const DeviceError& error) {
    return problem_of(error);
  }
}

std::optional<Problem> Channel::receive(Transfer& transfer) {
  try {
    while (!transfer.complete()) {
      const std::size_t count = receive_some(transfer.room(), deadline());
      if (auto problem = transfer.received(count)) return problem;
    }
    return {};
  } catch (const DeviceError& error) {
    return Problem{error.fault(), error.what(), transfer.batch.atom[0]};
  }
}

std::size_t Channel::receive_some(std::span<std::byte> buffer, Clock::time_point until) {
  const Clock::time_point start = Clock::now();
  const std::size_t count = link_->receive(buffer, until);
  counts_.longest_wait_s = std::max(counts_.longest_wait_s, Seconds(Clock::now() - start).count());
  if (watch_ && watch_->noticed()) {
    ++counts_.interrupts;
    throw DeviceError(Fault::no_model, "the card was reset");
  }
  return count;
}

void Channel::recover(const Problem& problem) {
  attempt(problem);
  Problem last = problem;
  while (true) {
    watch_.reset();  // no nudge comes behind a marker
    try {
      if (last.fault == Fault::broken || !link_) connect();
      synchronize();
      ensure_model();
      return;
    } catch (const DeviceError& error) {
      if (error.fault() == Fault::unusable || !link_) throw;
      last = problem_of(error);
      attempt(last);
    }
  }
}

void Channel::attempt(const Problem& problem) {
  ++counts_.faults[index(problem.fault)];
  if (attempts_ == 0) since_ = Clock::now();
  if (problem.final || ++attempts_ > options_.retries) {
    lost_ = true;
    give_up(problem);
  }
}

void Channel::give_up(const Problem& problem) const {
  std::string what = text("the card at ", options_.device, ": ", problem.what);
  if (problem.atom >= 0) what += text(" (atom ", problem.atom, ")");
  if (!problem.final) what += text("; ", attempts_, " attempts in ", Seconds(Clock::now() - since_).count(), " s did not help");
  const char* advice = problem.fault == Fault::silent    ? ". Is the bitstream loaded and the link up (lspci -vv)? A longer `timeout` helps a slow card"
                       : problem.fault == Fault::refused ? ". The link to the card damages data: see `dmesg` for PCIe errors"
                       : problem.fault == Fault::corrupt ? ". The link from the card damages data: see `dmesg` for PCIe errors"
                                                         : ". Reset the card and load the bitstream again";
  throw DeviceError(problem.fault, what + advice, problem.atom);
}

// A packet with a number that never was: whatever comes before its answer is old.
void Channel::synchronize() {
  const std::uint32_t marker = take_sequence(1);
  Bytes packet, heard;
  append_packet(packet, Kind::atom, {}, marker);
  const Clock::time_point until = deadline();
  link_->send(packet, until);
  std::size_t total = 0;
  while (total < kMostStray) {
    const std::size_t kept = heard.size();
    heard.resize(kept + (1u << 16));
    const std::size_t count = receive_some(std::span(heard).subspan(kept), until);
    heard.resize(kept + count);
    total += count;
    std::size_t at = 0;
    for (; at + kPacketBytes <= heard.size(); ++at) {
      const auto candidate = std::span<const std::byte>(heard).subspan(at, kPacketBytes);
      if (sequence_of(candidate) == marker && read_answer(candidate)) return;
    }
    heard.erase(heard.begin(), heard.begin() + static_cast<std::ptrdiff_t>(at));
  }
  throw DeviceError(Fault::corrupt, "the card sends without end and never what it was asked");
}

void Channel::ensure_model() {
  if (!known_ || link_->read_register(kRegIdentity) != identity_) {
    const Sizes sizes = Sizes::read([this](std::uint32_t number) { return link_->read_register(number); });
    tag_ = encode_load(*model_, sizes).tag;
    identity_ = sizes.identity;
    known_ = true;
  }
  listen();  // before the model is looked for, which a reset takes away
  if (link_->read_register(kRegModel) == 1 && link_->read_register(kRegTag) == tag_) return;
  load();
  compare_with_cpu();
}

void Channel::load() {
  const Sizes sizes = Sizes::read([this](std::uint32_t number) { return link_->read_register(number); });
  Load packets = encode_load(*model_, sizes);
  packets = encode_load(*model_, sizes, take_sequence(static_cast<std::uint32_t>(packets.packets.size())));
  std::span<const Bytes> left = packets.packets;
  for (; !left.empty(); left = left.subspan(std::min(kLoadPackets, left.size()))) send_load(left.first(std::min(kLoadPackets, left.size())));
  if (link_->read_register(kRegModel) != 1 || link_->read_register(kRegTag) != packets.tag) {
    throw DeviceError(Fault::no_model, "the model was sent, and the card does not hold it");
  }
  ++counts_.loads;
}

void Channel::send_load(std::span<const Bytes> packets) {
  Bytes transfer, answers(kPacketBytes * packets.size());
  for (const Bytes& packet : packets) transfer.insert(transfer.end(), packet.begin(), packet.end());
  link_->send(transfer, deadline());
  for (std::size_t have = 0; have < answers.size();) have += receive_some(std::span(answers).subspan(have), deadline());
  for (std::size_t n = 0; n < packets.size(); ++n) {
    const auto found = read_answer(std::span(answers).subspan(n * kPacketBytes, kPacketBytes));
    if (!found) throw DeviceError(Fault::corrupt, "what came back while loading the model is no answer, or its checksum is wrong");
    if (found->status != Status::ok) throw DeviceError(Fault::refused, text("loading the model: ", describe(found->status)));
    if (found->sequence != sequence_of(packets[n])) throw DeviceError(Fault::sequence, "an answer is missing while loading the model");
  }
}

void Channel::compare_with_cpu() {
  for (int type = 0; type < model_->types(); ++type) {
    Transfer probe(kProbeAtoms, model_->max_neighbors);
    fill_probe(*model_, type, probe.batch);
    BatchResult expected(probe.batch);
    kernel_->run(probe.batch, expected, *kernel_->make_workspace());
    probe.encode(take_sequence(kProbeAtoms));
    std::optional<Problem> problem = send(probe);
    if (!problem) problem = receive(probe);
    if (!problem) problem = probe.check();
    if (problem) throw DeviceError(problem->fault, text(problem->what, " (atoms that test the card)"));
    if (!same(probe.batch, probe.result, expected)) {
      throw DeviceError(Fault::unusable, text("the card at ", options_.device, " computes something else than the CPU for atoms of type ", type,
                                              "; do not use it: its memory or logic is faulty, or the build is too fast for its clock"));
    }
  }
}

}  // namespace nvnmd::card
