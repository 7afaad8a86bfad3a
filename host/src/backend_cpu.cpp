#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "backend.hpp"
#include "text.hpp"
#include "threads.hpp"

namespace nvnmd {
namespace {

// Keeps the error of the lowest batch, so that the same one is reported for any number of threads.
class FirstError {
 public:
  explicit FirstError(int batches) : batch_(batches) {}
  bool comes_after(int batch) const { return batch < batch_; }
  void keep(int batch) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (batch >= batch_) return;
    batch_ = batch;
    error_ = std::current_exception();
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::atomic<int> batch_;
  std::exception_ptr error_;
};

class CpuBackend final : public Backend {
 public:
  CpuBackend(std::shared_ptr<const Model> model, std::string_view kernel, int threads)
      : model_(std::move(model)), kernel_(make_kernel(model_, kernel)) {
    for (int worker = 0, count = usable_threads(threads); worker < count; ++worker) {
      AtomBatch batch(kernel_->batch_atoms(), model_->max_neighbors);
      BatchResult result(batch);
      workers_.push_back({std::move(batch), std::move(result), kernel_->make_workspace()});
    }
  }

  const Model& model() const override { return *model_; }
  int workers() const override { return static_cast<int>(workers_.size()); }
  int batch_atoms() const override { return kernel_->batch_atoms(); }
  bool gives_hidden() const override { return true; }
  std::string description() const override {
    return text("cpu (", kernel_->name(), ", ", workers(), workers() == 1 ? " thread)" : " threads)");
  }

  void run(BatchWork& work) override {
    const int count = work.count(), users = std::max(1, std::min(workers(), count));
    std::vector<Share> shares(static_cast<std::size_t>(users));
    for (int worker = 0; worker < users; ++worker) {
      const auto cut = [&](int k) { return static_cast<int>(std::int64_t{count} * k / users); };
      shares[static_cast<std::size_t>(worker)].next = cut(worker);
      shares[static_cast<std::size_t>(worker)].end = cut(worker + 1);
    }
    FirstError error(count);
    {
      std::vector<std::jthread> threads;
      for (int worker = 1; worker < users; ++worker) threads.emplace_back([&, worker] { run_worker(worker, work, shares, error); });
      run_worker(0, work, shares, error);
    }
    error.rethrow();
  }

 private:
  // On cache lines of its own, and not beside those of the next: its counters change with every atom.
  struct alignas(128) Worker {
    AtomBatch batch;
    BatchResult result;
    std::unique_ptr<Workspace> workspace;
  };

  // Consecutive batches, whose atoms are often near each other, for every worker; those who are done help the others.
  struct alignas(128) Share {
    std::atomic<int> next = 0;
    int end = 0;
  };

  // Every batch before a failed one is evaluated, so the lowest error is always found.
  void run_worker(int index, BatchWork& work, std::vector<Share>& shares, FirstError& error) {
    Worker& worker = workers_[static_cast<std::size_t>(index)];
    const std::size_t width = work.wants_hidden() ? static_cast<std::size_t>(model_->layers.back().outputs) : 0;
    worker.result.hidden.resize(width * static_cast<std::size_t>(worker.batch.capacity));
    for (std::size_t k = 0; k < shares.size(); ++k) {
      Share& share = shares[(static_cast<std::size_t>(index) + k) % shares.size()];
      for (int batch = share.next++; batch < share.end && error.comes_after(batch); batch = share.next++) {
        try {
          work.pack(batch, worker.batch);
          kernel_->run(worker.batch, worker.result, *worker.workspace);
          work.take(index, worker.batch, worker.result);
        } catch (...) {
          error.keep(batch);
        }
      }
    }
  }

  std::shared_ptr<const Model> model_;
  std::unique_ptr<const Kernel> kernel_;
  std::vector<Worker> workers_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(std::shared_ptr<const Model> model, std::string_view kernel, int threads) {
  return std::make_unique<CpuBackend>(std::move(model), kernel, threads);
}

}  // namespace nvnmd
