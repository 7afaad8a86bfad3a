#pragma once
// Threads that wait for the next piece of a training step.

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>

namespace nvnmd::training {

// work(thread, first item, last item) on one thread's share of the items.
using Share = std::function<void(int, int, int)>;

// Runs shares side by side. A step has half a dozen pieces a fraction of a millisecond apart: starting threads for each of them, or
// waking ones that sleep, takes as long as the pieces do, so that workers look for the next piece for a while before they sleep.
class Workers {
 public:
  // Those of this process; a forked child gets its own.
  static Workers& here();

  // Returns when all shares are done; throws what a share threw. Alone, where another thread uses the workers.
  void run(int threads, int items, const Share& work);

 private:
  void serve(int number, std::uint32_t seen);
  void do_share(int number) noexcept;
  void start(int threads);

  std::mutex in_use_, failing_;
  std::atomic<std::uint32_t> turn_{0};
  std::atomic<int> left_{0};
  int started_ = 0, threads_ = 0, items_ = 0;
  const Share* work_ = nullptr;
  std::exception_ptr failure_;
};

}  // namespace nvnmd::training
