// The vector kernel. It proves for every batch that no word is clipped and no narrow sum wraps; a batch for which it cannot goes to the
// portable kernel, which counts. Both give the same bits.
#pragma once

#include "atom_stage.hpp"
#include "force_stage.hpp"
#include "neighbor_stage.hpp"

namespace nvnmd::simd {

template <class Isa, int Stride>
class SimdKernel final : public Kernel {
 public:
  SimdKernel(const char* name, std::unique_ptr<const Layout> layout, std::unique_ptr<const Kernel> portable)
      : name_(name), portable_(std::move(portable)), layout_(std::move(layout)), neighbors_(*layout_), atoms_(*layout_), forces_(layout_->model()) {}

  std::string_view name() const override { return name_; }
  int batch_atoms() const override { return 24; }

  std::unique_ptr<Workspace> make_workspace() const override {
    const Model& model = layout_->model();
    const int layers = static_cast<int>(model.layers.size());
    return std::make_unique<Scratch>(portable_->make_workspace(), batch_atoms(), model.max_neighbors, layout_->m1(), layers, Stride);
  }

  void run(const AtomBatch& batch, BatchResult& result, Workspace& workspace) const override {
    auto& w = static_cast<Scratch&>(workspace);
    result.counters = {};
    if (!fast(batch, result, w)) portable_->run(batch, result, *w.portable);
  }

 private:
  bool fast(const AtomBatch& batch, BatchResult& result, Scratch& w) const {
    const std::int16_t* gradient = nullptr;
    return neighbors_.run(batch, w) && atoms_.descriptor(batch, w) && atoms_.network(batch, w, result, gradient) &&
           atoms_.contract_back(batch, w, gradient) && forces_.run(batch, w, result);
  }

  const char* name_;
  std::unique_ptr<const Kernel> portable_;
  std::unique_ptr<const Layout> layout_;
  NeighborStage<Isa> neighbors_;
  AtomStage<Isa, Stride> atoms_;
  ForceStage<Isa> forces_;
};

// The kernel with rows of activations just wide enough, or null when the model is wider than any.
template <class Isa>
std::unique_ptr<const Kernel> make_simd_kernel(const char* name, std::unique_ptr<const Layout> layout, std::unique_ptr<const Kernel> portable) {
  const int widest = layout->widest();
  if (widest <= 128) return std::make_unique<SimdKernel<Isa, 160>>(name, std::move(layout), std::move(portable));
  if (widest <= 256) return std::make_unique<SimdKernel<Isa, 288>>(name, std::move(layout), std::move(portable));
  if (widest <= 512) return std::make_unique<SimdKernel<Isa, 544>>(name, std::move(layout), std::move(portable));
  return nullptr;
}

}  // namespace nvnmd::simd
