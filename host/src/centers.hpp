// Where neighbor words come from: a LAMMPS neighbor list, vectors from Python, or the words themselves.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "batch.hpp"
#include "model.hpp"

namespace nvnmd {

// The atoms to evaluate and their neighbors. `pack` is called from several threads at a time, each with its own batch.
class Centers {
 public:
  virtual ~Centers() = default;
  virtual int count() const = 0;          // atoms to evaluate
  virtual int total_atoms() const = 0;    // atoms that a neighbor index can name
  virtual int atom(int center) const = 0; // index of a center among them
  virtual int type(int atom) const = 0;   // type in the model's type map; negative: not an atom of this model, left out
  // Appends the center and its neighbors inside the cutoff to the batch.
  virtual void pack(int center, AtomBatch& batch) const = 0;
};

// A neighbor list in LAMMPS's form over atoms and their images (ghosts). Pointers are borrowed for one call.
class NeighborList final : public Centers {
 public:
  struct View {
    int count = 0;                         // inum
    const int* centers = nullptr;          // ilist [count]
    const int* neighbor_count = nullptr;   // numneigh [by atom index]
    const int* const* neighbors = nullptr; // firstneigh [by atom index]; a full list
    int mask = 0x1FFFFFFF;                 // NEIGHMASK
    int total_atoms = 0;                   // owned and ghost atoms
    const double* positions = nullptr;     // [total_atoms, 3], angstrom
    const int* types = nullptr;            // [total_atoms], the caller's types
    const int* type_map = nullptr;         // the caller's type -> model type, negative: not of this model
  };

  NeighborList(const Model& model, const View& view) : model_(model), view_(view) {}
  int count() const override { return view_.count; }
  int total_atoms() const override { return view_.total_atoms; }
  int atom(int center) const override { return view_.centers[center]; }
  int type(int atom) const override { return view_.type_map[view_.types[atom]]; }
  void pack(int center, AtomBatch& batch) const override;

 private:
  const Model& model_;
  View view_;
};

// Neighbors given as displacement vectors, pairs in any order; all atoms are centers.
class NeighborVectors final : public Centers {
 public:
  // types [n], center and neighbor [pairs], vectors [pairs, 3] in angstrom from center to neighbor. Throws Error
  // (ErrorCode::out_of_range) for arrays that disagree.
  NeighborVectors(const Model& model, std::span<const std::int64_t> types, std::span<const std::int64_t> center,
                  std::span<const std::int64_t> neighbor, std::span<const double> vectors);
  int count() const override { return static_cast<int>(types_.size()); }
  int total_atoms() const override { return count(); }
  int atom(int center) const override { return center; }
  int type(int atom) const override { return static_cast<int>(types_[static_cast<std::size_t>(atom)]); }
  void pack(int center, AtomBatch& batch) const override;

 private:
  const Model& model_;
  std::span<const std::int64_t> types_, neighbor_;
  std::span<const double> vectors_;
  std::vector<std::size_t> first_, order_;  // pairs of atom i: order_[first_[i]] ... order_[first_[i + 1] - 1]
};

// Neighbors given as displacement words, sorted by center; neighbors that are too close are counted, not refused.
class NeighborWords final : public Centers {
 public:
  // types [n], first [n + 1], neighbor [pairs], displacement [pairs, 3], dx_frac fraction bits. Throws Error
  // (ErrorCode::out_of_range) for arrays that disagree, or a word that is too wide or not inside the cutoff.
  NeighborWords(const Model& model, std::span<const std::int64_t> types, std::span<const std::int64_t> first,
                std::span<const std::int64_t> neighbor, std::span<const std::int64_t> displacement);
  int count() const override { return static_cast<int>(types_.size()); }
  int total_atoms() const override { return count(); }
  int atom(int center) const override { return center; }
  int type(int atom) const override { return static_cast<int>(types_[static_cast<std::size_t>(atom)]); }
  void pack(int center, AtomBatch& batch) const override;

 private:
  const Model& model_;
  std::span<const std::int64_t> types_, first_, neighbor_, displacement_;
};

}  // namespace nvnmd
