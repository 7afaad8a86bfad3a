// How far an atom lies outside what a model has learned: the extrapolation grade of D-optimal active sets, from the activations of the
// last hidden layer (docs/uncertainty.md). Floating point; no part of the integer specification.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "model.hpp"

namespace nvnmd {

class ActiveSet {
 public:
  // Reads an active set and checks that it was made for the model in `model_file`. Throws Error (ErrorCode::active_set) that names
  // the file.
  static std::shared_ptr<const ActiveSet> load(const std::filesystem::path& path, const Model& model, const std::filesystem::path& model_file);

  // The file beside a model in which its active set is looked for: the same name with the ending .gamma.
  static std::filesystem::path beside(std::filesystem::path model_file) { return model_file.replace_extension(".gamma"); }

  // Extrapolation grades of atoms of one type from their last hidden activations [atoms, width]. Every atom's is summed in the same
  // order, so neither batches nor threads change a bit.
  void grades(int type, const std::int16_t* hidden, int atoms, double* gamma) const;

 private:
  ActiveSet() = default;

  std::size_t width_ = 0;                     // of the last hidden layer
  // Per type the inverse [width + 1, width + 1] of the active rows (h, 2^14), in panels.
  std::vector<std::vector<double>> inverse_;
};

}  // namespace nvnmd
