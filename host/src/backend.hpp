// Who evaluates batches: CPU threads now; a simulated or a real card through the same interface.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "batch.hpp"
#include "kernel.hpp"
#include "model.hpp"

namespace nvnmd {

// Work of one step, cut into batches. A backend asks for a batch, evaluates it and hands the result over, in any order and from
// several threads (`worker` tells them apart), so that packing, transfer, computing and unpacking can overlap.
class BatchWork {
 public:
  virtual ~BatchWork() = default;
  virtual int count() const = 0;
  virtual void pack(int index, AtomBatch& batch) const = 0;
  virtual void take(int worker, const AtomBatch& batch, const BatchResult& result) = 0;
  virtual bool wants_hidden() const { return false; }  // asks for BatchResult::hidden of a backend that gives it
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const Model& model() const = 0;
  virtual std::string description() const = 0;  // for logs, for example "cpu (portable, 2 threads)"
  virtual int workers() const = 0;               // take() sees 0 <= worker < workers()
  virtual int batch_atoms() const = 0;           // most atoms of one batch
  // Atoms of the batch that follows `before` atoms of a step when `left` are left.
  virtual int next_batch(int /*before*/, int left) const { return std::min(batch_atoms(), left); }
  virtual bool gives_hidden() const { return false; }  // cards return energies and forces only
  // Evaluates all batches; the first error of the lowest batch is thrown after every worker has stopped.
  virtual void run(BatchWork& work) = 0;
};

// Kernels on `threads` threads of this process; 0 takes OMP_NUM_THREADS, or all cores when it is not set.
std::unique_ptr<Backend> make_cpu_backend(std::shared_ptr<const Model> model, std::string_view kernel = "auto", int threads = 0);

}  // namespace nvnmd
