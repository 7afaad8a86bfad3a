// The guarantees of docs/numerics.md, section 10, as checks on a model that has just been read.
#pragma once

#include <stdexcept>
#include <string>

#include "model.hpp"

namespace nvnmd {

// Throws std::runtime_error(message); the loader adds the name of the file.
inline void require(bool condition, const std::string& message) {
  if (!condition) throw std::runtime_error(message);
}

// Widths, ties between formats and the range of every shift. Needs type_map, layers and formats.
void require_formats(const Model& model);

// Every pair of types names an existing table.
void require_table_indices(const Model& model, std::int64_t feature_tables, std::int64_t scalar_tables, std::int64_t guard_tables);

// Cutoff, tables and fitting networks: no sum or table value can leave its word.
void require_guarantees(const Model& model);

}  // namespace nvnmd
