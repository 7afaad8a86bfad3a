// The integer model as the model file holds it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "formats.hpp"

namespace nvnmd {

// One hidden layer of the fitting networks of all types. Arrays are row-major.
struct FittingLayer {
  int inputs = 0, outputs = 0;
  bool skip = false;
  std::vector<std::int16_t> weight;  // [types, outputs, inputs]
  std::vector<std::int32_t> bias;    // [types, outputs]
};

// One potential in integers; immutable once loaded, shared by kernels and threads. Arrays are row-major; letters as in
// docs/numerics.md: T types, M1 channels.
struct Model {
  std::vector<std::string> type_map;  // element symbols, index = type
  double rcut = 0.0;                  // angstrom
  std::int32_t u_cut = 0, u_min = 0;  // r^2 at the cutoff and at the start of the tables, u_frac fraction bits
  int m1 = 0, m2 = 0;
  int n_seg = 0, n_guard = 0;
  int max_neighbors = 0;

  std::vector<std::int16_t> feature_coef;                            // [tables, n_seg, 3, M1]
  std::vector<std::int32_t> scalar_coef;                             // [tables, n_seg, 2, 3]: radial s, then angular h
  std::vector<std::int32_t> guard_coef;                              // [tables, n_guard, 3]
  std::vector<std::int32_t> feature_table, scalar_table, guard_table;  // [T, T]: (center type, neighbor type) -> table
  std::vector<std::int16_t> gate;                                    // [T, T, M1], 14 fraction bits; empty when not gated
  std::vector<FittingLayer> layers;
  std::vector<std::int16_t> out_weight;   // [T, last layer's outputs]
  std::vector<std::int32_t> out_bias;     // [T]
  std::vector<std::int64_t> energy_bias;  // [T], e_frac
  std::vector<std::int16_t> tanh_coef;    // [segments, 3]

  NumberFormats formats;
  Shifts shifts;
  std::string header;  // JSON metadata of the file, provenance included

  int types() const { return static_cast<int>(type_map.size()); }
  bool gated() const { return !gate.empty(); }

  // Reads and checks a model file: sizes, types, ranges, version and every guarantee of docs/numerics.md, section 10.
  // Throws Error (ErrorCode::model_file) that names the file.
  static std::shared_ptr<const Model> load(const std::filesystem::path& path);

  // As load, from the bytes of a file; errors begin with `name`.
  static std::shared_ptr<const Model> parse(std::vector<char> content, const std::string& name);

  // Index of an element symbol; throws Error (ErrorCode::type_map) that lists the elements of the model.
  int type_of(const std::string& symbol) const;
};

}  // namespace nvnmd
