// A model file of one element that a test can take apart: no features, a guard that falls linearly with r^2.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model.hpp"

struct Tensor {
  std::string name, dtype;
  std::vector<std::int64_t> shape;
  std::string bytes;
};

struct TinyModel {
  static constexpr std::int32_t kGuardSlope = -1000;  // per segment of 2^-3 square angstrom, p_frac + seg_frac fraction bits

  std::string json;  // the metadata of the model
  std::vector<Tensor> tensors;

  TinyModel();

  Tensor& tensor(const std::string& name);
  // Replaces a piece of the metadata, which has to be there.
  TinyModel& replace(const std::string& from, const std::string& to);
  std::string header() const;
  std::string bytes() const;
  std::shared_ptr<const nvnmd::Model> load() const;
};

// Reads a model named "tiny.nvnmd" from the bytes of a file.
std::shared_ptr<const nvnmd::Model> load_bytes(const std::string& bytes);

template <class Word>
std::string words(const std::vector<Word>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Word)};
}
