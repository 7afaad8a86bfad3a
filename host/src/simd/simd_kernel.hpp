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
  SimdKernel(std::shared_ptr<const Model> model, std::string_view name, std::unique_ptr<const Kernel> portable)
      : name_(name), portable_(std::move(portable)), layout_(std::move(model)), neighbors_(layout_), atoms_(layout_), forces_(layout_.model()) {}

  std::string_view name() const override { return name_; }
  int batch_atoms() const override { return 24; }

  std::unique_ptr<Workspace> make_workspace() const override {
    auto scratch = std::make_unique<Scratch>(batch_atoms(), layout_.model().max_neighbors, layout_.m1(),
                                             static_cast<int>(layout_.model().layers.size()), Stride);
    scratch->portable = portable_->make_workspace();
    return scratch;
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

  std::string name_;
  std::unique_ptr<const Kernel> portable_;
  Layout layout_;
  NeighborStage<Isa> neighbors_;
  AtomStage<Isa, Stride> atoms_;
  ForceStage<Isa> forces_;
};

// The kernel with rows of activations just wide enough, or null when the model is wider than any.
template <class Isa>
std::unique_ptr<const Kernel> make_simd_kernel(std::shared_ptr<const Model> model, std::string_view name, std::unique_ptr<const Kernel> portable) {
  int widest = model->m2 * ((model->m1 + 31) / 32 * 32);
  for (const FittingLayer& layer : model->layers) widest = std::max(widest, layer.outputs);
  if (widest <= 128) return std::make_unique<SimdKernel<Isa, 160>>(std::move(model), name, std::move(portable));
  if (widest <= 256) return std::make_unique<SimdKernel<Isa, 288>>(std::move(model), name, std::move(portable));
  if (widest <= 512) return std::make_unique<SimdKernel<Isa, 544>>(std::move(model), name, std::move(portable));
  return nullptr;
}

}  // namespace nvnmd::simd
