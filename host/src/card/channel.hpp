// A card that is opened, holds the model and can be brought back into step. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "card/card_backend.hpp"
#include "card/event_watch.hpp"
#include "card/link.hpp"
#include "card/sizes.hpp"
#include "card/transfer.hpp"
#include "kernel.hpp"
#include "model.hpp"

namespace nvnmd::card {

class Channel {
 public:
  Channel(std::shared_ptr<const Model> model, const CardOptions& options, LinkOpener opener);

  // Opens the card and sees to it that it holds the model; other processes wait until close.
  void open();
  void close();
  Link& link() { return *link_; }

  // Sends and receives; the problem that showed, if any.
  std::optional<Problem> send(const Transfer& transfer);
  std::optional<Problem> receive(Transfer& transfer);

  // After a problem: finds the place in the stream where card and host agree again, and loads the model if it is gone. Throws
  // DeviceError when that fails, or when the same has happened `retries` times in a row without succeeded() in between.
  void recover(const Problem& problem);
  void succeeded() { attempts_ = 0; }
  // What is under way may be left unread: the next open finds the place again.
  void abandon() { lost_ = true; }

  std::uint32_t take_sequence(std::uint32_t count);
  Clock::time_point deadline() const;
  CardCounts& counts() { return counts_; }
  const CardCounts& counts() const { return counts_; }

 private:
  void connect();
  void ensure_model();
  void load();
  void send_load(std::span<const Bytes> packets);
  void compare_with_cpu();
  void synchronize();
  void listen();
  void attempt(const Problem& problem);
  [[noreturn]] void give_up(const Problem& problem) const;
  std::size_t receive_some(std::span<std::byte> buffer, Clock::time_point until);

  std::shared_ptr<const Model> model_;
  std::unique_ptr<const Kernel> kernel_;
  CardOptions options_;
  LinkOpener opener_;
  std::unique_ptr<Link> link_;
  std::unique_ptr<EventWatch> watch_;  // of link_, and so below it
  std::uint32_t sequence_;
  std::uint32_t tag_ = 0;
  std::uint32_t identity_ = 0;  // of the card for which tag_ was worked out
  bool known_ = false;          // identity_ and tag_ are
  bool lost_ = false;
  int attempts_ = 0;
  Clock::time_point since_;  // the first of these attempts
  CardCounts counts_;
};

}  // namespace nvnmd::card
