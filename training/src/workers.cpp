#include "workers.hpp"

#include <pthread.h>

#include <thread>
#include <utility>

namespace nvnmd::training {
namespace {

constexpr int kLooks = 20000;  // before a thread sleeps: about half a millisecond

void pause_briefly() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// Waits until a value is no longer what it was.
template <class T>
void await_change(const std::atomic<T>& value, T before) {
  for (int look = 0; look < kLooks; ++look) {
    if (value.load(std::memory_order_acquire) != before) return;
    pause_briefly();
  }
  value.wait(before, std::memory_order_acquire);
}

// The first item of a share.
int border(int items, int threads, int number) { return static_cast<int>(static_cast<std::int64_t>(items) * number / threads); }

Workers* of_process = nullptr;

}  // namespace

// Never destroyed: its threads end with the process. A child of fork has none of them and begins anew.
Workers& Workers::here() {
  static std::once_flag once;
  std::call_once(once, [] {
    of_process = new Workers;
    pthread_atfork(nullptr, nullptr, [] { of_process = new Workers; });
  });
  return *of_process;
}

void Workers::run(int threads, int items, const Share& work) {
  const std::unique_lock<std::mutex> use(in_use_, std::try_to_lock);
  if (threads <= 1 || !use) {
    for (int k = 0; k < threads; ++k) work(k, border(items, threads, k), border(items, threads, k + 1));
    return;
  }
  start(threads);
  work_ = &work;
  threads_ = threads;
  items_ = items;
  left_.store(started_, std::memory_order_relaxed);
  turn_.fetch_add(1, std::memory_order_release);
  turn_.notify_all();
  do_share(0);
  for (int left = left_.load(std::memory_order_acquire); left > 0; left = left_.load(std::memory_order_acquire)) {
    await_change(left_, left);
  }
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Workers::start(int threads) {
  for (; started_ < threads - 1; ++started_) {
    std::thread([this, number = started_ + 1, seen = turn_.load()] { serve(number, seen); }).detach();
  }
}

void Workers::serve(int number, std::uint32_t seen) {
  for (;;) {
    await_change(turn_, seen);
    ++seen;
    if (number < threads_) do_share(number);
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) left_.notify_one();
  }
}

void Workers::do_share(int number) noexcept {
  try {
    (*work_)(number, border(items_, threads_, number), border(items_, threads_, number + 1));
  } catch (...) {
    const std::lock_guard<std::mutex> guard(failing_);
    failure_ = std::current_exception();
  }
}

}  // namespace nvnmd::training
