// Sections 3 to 8 of docs/numerics.md on one CPU thread. All kernels give the same bits.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "batch.hpp"
#include "model.hpp"

namespace nvnmd {

// Scratch memory of one thread; each kernel derives its own.
class Workspace {
 public:
  virtual ~Workspace() = default;
};

// Holds the model's tables and weights in the layout that its instructions want. Immutable, so threads share it.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual std::string_view name() const = 0;
  // Atoms of one batch that make the best use of the caches.
  virtual int batch_atoms() const = 0;
  virtual std::unique_ptr<Workspace> make_workspace() const = 0;
  // Evaluates every atom of the batch; `result` is overwritten.
  virtual void run(const AtomBatch& batch, BatchResult& result, Workspace& workspace) const = 0;
};

// Names of the kernels that run on this CPU, fastest first.
std::vector<std::string> kernel_names();

// Makes the kernel `name`, or the fastest one for "auto". Throws Error (ErrorCode::backend) when it is unknown or this CPU lacks
// its instructions.
std::unique_ptr<const Kernel> make_kernel(std::shared_ptr<const Model> model, std::string_view name = "auto");

}  // namespace nvnmd
