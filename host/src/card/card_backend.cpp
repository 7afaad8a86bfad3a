#include "card/card_backend.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "card/channel.hpp"
#include "card/transfer.hpp"
#include "text.hpp"
#include "threads.hpp"

namespace nvnmd::card {
namespace {

using TransferPointer = std::unique_ptr<Transfer>;

// One run: workers pack and check, one thread sends, the caller's receives and mends. A transfer is in one queue, or in the
// hands of one thread.
class Run {
 public:
  Run(Channel& channel, std::vector<TransferPointer>& transfers, BatchWork& work) : channel_(channel), work_(work), count_(work.count()) {
    for (const TransferPointer& transfer : transfers) free_.push_back(transfer.get());
  }

  void go(int workers) {
    std::vector<std::jthread> threads;
    for (int worker = 0; worker < std::min(workers, count_); ++worker) threads.emplace_back([this, worker] { pack_and_check(worker); });
    threads.emplace_back([this] { send(); });
    std::unique_lock lock(mutex_);
    try {
      receive(lock);
    } catch (...) {
      if (!lock.owns_lock()) lock.lock();
      keep_error(-1);
    }
    stop_ = true;
    changed_.notify_all();
    lock.unlock();
    threads.clear();  // joins
    channel_.counts().transfers += done_;
    if (error_) std::rethrow_exception(error_);
  }

 private:
  using Lock = std::unique_lock<std::mutex>;

  bool may_pack() const { return !error_ && !free_.empty() && next_ < count_; }

  // The lowest batch's error is reported, as by the CPU; one of the card (-1) before any.
  void keep_error(int batch) {
    if (error_ && batch >= error_batch_) return;
    error_ = std::current_exception();
    error_batch_ = batch;
  }

  void note(Problem problem) {
    if (!problem_) problem_ = std::move(problem);
  }

  static Transfer* pop(std::deque<Transfer*>& queue) {
    Transfer* transfer = queue.front();
    queue.pop_front();
    return transfer;
  }

  void pack_and_check(int worker) {
    Lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stop_ || !arrived_.empty() || may_pack(); });
      if (stop_) return;
      ++working_;
      if (arrived_.empty()) pack(lock);
      else check(lock, worker);
      --working_;
      changed_.notify_all();
    }
  }

  void pack(Lock& lock) {
    Transfer* transfer = pop(free_);
    transfer->number = next_++;
    const std::uint32_t sequence = channel_.take_sequence(static_cast<std::uint32_t>(transfer->batch.capacity));
    lock.unlock();
    try {
      work_.pack(transfer->number, transfer->batch);
      transfer->encode(sequence);
      lock.lock();
      ready_.push_back(transfer);
    } catch (...) {
      if (!lock.owns_lock()) lock.lock();
      keep_error(transfer->number);
    }
  }

  void check(Lock& lock, int worker) {
    Transfer* transfer = pop(arrived_);
    lock.unlock();
    std::optional<Problem> problem = transfer->check();
    if (!problem) work_.take(worker, transfer->batch, transfer->result);
    lock.lock();
    if (problem) {
      note(*problem);
      again_.push_back(transfer);
      return;
    }
    ++done_;
    channel_.succeeded();
    free_.push_back(transfer);
  }

  void send() {
    Lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stop_ || (!problem_ && !ready_.empty()); });
      if (stop_) return;
      Transfer* transfer = pop(ready_);
      sent_.push_back(transfer);
      sending_ = true;
      changed_.notify_all();
      lock.unlock();
      std::optional<Problem> problem = channel_.send(*transfer);
      lock.lock();
      if (problem) note(*problem);
      sending_ = false;
      changed_.notify_all();
    }
  }

  void receive(Lock& lock) {
    while (!(error_ && working_ == 0) && (done_ < count_ || problem_)) {
      if (problem_) {
        mend(lock);
      } else if (sent_.empty()) {
        changed_.wait(lock);
      } else {
        Transfer* transfer = sent_.front();
        lock.unlock();
        std::optional<Problem> problem = channel_.receive(*transfer);
        lock.lock();
        if (problem) {
          note(*problem);
          continue;
        }
        sent_.pop_front();
        arrived_.push_back(transfer);
        changed_.notify_all();
      }
    }
  }

  // Brings card and host into step and sends again whatever has not been taken.
  void mend(Lock& lock) {
    drain_while_sending(lock);
    changed_.wait(lock, [this] { return arrived_.empty() && working_ == 0; });
    again_.insert(again_.end(), sent_.begin(), sent_.end());
    sent_.clear();
    std::sort(again_.begin(), again_.end(), [](const Transfer* a, const Transfer* b) { return a->number < b->number; });
    for (Transfer* transfer : again_) transfer->restart();
    channel_.recover(*problem_);
    ready_.insert(ready_.begin(), again_.begin(), again_.end());
    again_.clear();
    problem_.reset();
    changed_.notify_all();
  }

  // A card that cannot get rid of its answers takes no more packets either.
  void drain_while_sending(Lock& lock) {
    std::vector<std::byte> stray(1u << 16);
    while (sending_) {
      lock.unlock();
      try {
        channel_.link().receive(stray, Clock::now() + std::chrono::milliseconds(1));
      } catch (const DeviceError&) {
        std::this_thread::yield();  // nothing came; the sender has its own time limit
      }
      lock.lock();
    }
  }

  Channel& channel_;
  BatchWork& work_;
  const int count_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Transfer*> free_, ready_, sent_, arrived_, again_;
  std::optional<Problem> problem_;
  std::exception_ptr error_;
  int error_batch_ = 0, next_ = 0, done_ = 0, working_ = 0;
  bool sending_ = false, stop_ = false;
};

class Card final : public CardBackend {
 public:
  Card(std::shared_ptr<const Model> model, const CardOptions& options, LinkOpener opener)
      : model_(std::move(model)), options_(checked(options)), channel_(model_, options_, std::move(opener)), workers_(usable_threads(options.threads)) {
    for (int n = 0; n < options.buffers; ++n) transfers_.push_back(std::make_unique<Transfer>(options.atoms, model_->max_neighbors));
    channel_.open();
    channel_.close();
  }

  const Model& model() const override { return *model_; }
  std::string description() const override { return text("xdma (", options_.device, ", ", workers_, workers_ == 1 ? " thread)" : " threads)"); }
  int workers() const override { return workers_; }
  int batch_atoms() const override { return options_.atoms; }
  int next_batch(int before, int left) const override { return sim::Transfers{.atoms = options_.atoms}.next(before, left); }
  const CardCounts& counts() const override { return channel_.counts(); }

  void run(BatchWork& work) override {
    if (work.count() == 0) return;
    try {
      channel_.open();
      Run(channel_, transfers_, work).go(workers_);
    } catch (...) {
      channel_.abandon();
      channel_.close();
      throw;
    }
    channel_.close();
  }

 private:
  static const CardOptions& checked(const CardOptions& o) {
    if (o.buffers < 1 || o.buffers > 1024) throw Error(ErrorCode::backend, text("buffers must be 1 to 1024, not ", o.buffers));
    if (o.atoms < 1 || o.atoms > 65536) throw Error(ErrorCode::backend, text("batch must be 1 to 65536 atoms, not ", o.atoms));
    if (o.retries < 0 || o.retries > 1000) throw Error(ErrorCode::backend, text("retries must be 0 to 1000, not ", o.retries));
    if (!(o.timeout_s > 0.0 && o.timeout_s <= 3600.0)) throw Error(ErrorCode::backend, text("timeout must be above 0 and at most 3600 s, not ", o.timeout_s));
    return o;
  }

  std::shared_ptr<const Model> model_;
  CardOptions options_;
  Channel channel_;
  int workers_;
  std::vector<TransferPointer> transfers_;
};

}  // namespace

std::unique_ptr<CardBackend> make_card_backend(std::shared_ptr<const Model> model, const CardOptions& options, LinkOpener opener) {
  return std::make_unique<Card>(std::move(model), options, std::move(opener));
}

std::unique_ptr<CardBackend> make_card_backend(std::shared_ptr<const Model> model, const CardOptions& options) {
  return make_card_backend(std::move(model), options,
                           [options] { return open_link(options.device, Seconds(options.patience_s), Seconds(options.timeout_s)); });
}

}  // namespace nvnmd::card
