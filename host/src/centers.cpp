#include "centers.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "error.hpp"
#include "fixed.hpp"
#include "simd/pack.hpp"
#include "text.hpp"

namespace nvnmd {
namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

// Nearest integer, ties to even, for |value| < 2^51: the sum has no room for fraction bits. Unlike nearbyint it needs no call.
double round_even(double value) {
  constexpr double shift = 6755399441055744.0;  // 1.5 * 2^52
  return (value + shift) - shift;
}

// Appends the neighbors of one center; used by every source, so that section 2 stands once.
class Packer {
 public:
  Packer(const Model& model, int atom, int type, AtomBatch& batch)
      : model_(model), batch_(batch), atom_(atom), reach_(limit(model.formats.dx_bits)),
        scale_(std::ldexp(1.0, model.formats.dx_frac)), begin_(batch.first[index(batch.size)]), next_(begin_) {
    batch.center_type = type;
  }

  // One candidate at a displacement in angstrom, kept if it is inside the cutoff.
  void add_vector(int neighbor, int type, double dx, double dy, double dz) {
    const double x = round_even(dx * scale_), y = round_even(dy * scale_), z = round_even(dz * scale_);
    const auto reach = static_cast<double>(reach_);
    if (!(std::abs(x) <= reach && std::abs(y) <= reach && std::abs(z) <= reach)) {
      require_finite(neighbor, dx + dy + dz);
      return;
    }
    const auto ix = static_cast<std::int32_t>(x), iy = static_cast<std::int32_t>(y), iz = static_cast<std::int32_t>(z);
    const std::int32_t u = squared(ix, iy, iz);
    if (u >= model_.u_cut) return;
    if (u < model_.u_min) refuse_close(neighbor, u);
    append(neighbor, type, ix, iy, iz, u);
  }

  // One neighbor in words, which were checked before.
  void add_words(int neighbor, int type, std::int32_t x, std::int32_t y, std::int32_t z) { append(neighbor, type, x, y, z, squared(x, y, z)); }

  // `added` neighbors were appended by someone else.
  void finish(int added = 0) {
    next_ += added;
    batch_.atom[index(batch_.size)] = atom_;
    ++batch_.size;
    batch_.first[index(batch_.size)] = next_;
  }

 private:
  std::int32_t squared(std::int64_t x, std::int64_t y, std::int64_t z) const {
    return static_cast<std::int32_t>(std::min(rnd(x * x + y * y + z * z, model_.shifts.u), std::int64_t{model_.u_cut}));
  }

  void append(int neighbor, int type, std::int32_t x, std::int32_t y, std::int32_t z, std::int32_t u) {
    if (next_ - begin_ == model_.max_neighbors) refuse_crowd();
    const auto at = index(next_++);
    batch_.neighbor[at] = neighbor;
    batch_.type[at] = type;
    batch_.x[at] = x;
    batch_.y[at] = y;
    batch_.z[at] = z;
    batch_.u[at] = u;
  }

  void require_finite(int neighbor, double sum) const {
    if (std::isfinite(sum)) return;
    throw Error(ErrorCode::out_of_range,
                text("the distance of atoms ", atom_, " and ", neighbor, " is not a finite number; a position is NaN or infinite"),
                atom_, neighbor);
  }

  [[noreturn]] void refuse_close(int neighbor, std::int32_t u) const {
    const auto angstrom = [this](std::int32_t word) { return std::sqrt(std::ldexp(word, -model_.formats.u_frac)); };
    throw Error(ErrorCode::too_close,
                text("atoms ", atom_, " and ", neighbor, " are ", angstrom(u), " A apart; the tables start at ", angstrom(model_.u_min),
                     " A. Try a smaller time step or relax the structure"),
                atom_, neighbor);
  }

  [[noreturn]] void refuse_crowd() const {
    throw Error(ErrorCode::too_many_neighbors,
                text("atom ", atom_, " has more than ", model_.max_neighbors, " neighbors within ", model_.rcut,
                     " A, the most that the model holds; check the density or quantize again with a larger max_neighbors"),
                atom_);
  }

  const Model& model_;
  AtomBatch& batch_;
  int atom_;
  std::int64_t reach_;
  double scale_;
  std::int32_t begin_, next_;
};

[[noreturn]] void fail(const std::string& what, std::int64_t atom = -1) { throw Error(ErrorCode::out_of_range, what, static_cast<int>(atom)); }

void require_types(const Model& model, std::span<const std::int64_t> types) {
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i] < 0 || types[i] >= model.types()) {
      fail(text("atom ", i, " has type ", types[i], ", which the model does not have"), static_cast<std::int64_t>(i));
    }
  }
}

void require_atoms(std::span<const std::int64_t> indices, std::size_t atoms) {
  for (const std::int64_t i : indices) {
    if (i < 0 || i >= static_cast<std::int64_t>(atoms)) fail(text("neighbor index ", i, " is not an atom"));
  }
}

// The vector form of the loop over candidates, if this CPU has one.
simd::PackFunction vector_pack() {
#ifdef __x86_64__
  static const bool usable = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return usable ? simd::pack_avx512 : nullptr;
#else
  return nullptr;
#endif
}

}  // namespace

void NeighborList::pack(int center, AtomBatch& batch) const {
  const int i = atom(center);
  const double* r = &view_.positions[3 * std::int64_t{i}];
  const int* list = view_.neighbors[i];
  Packer packer(model_, i, type(i), batch);
  if (const simd::PackFunction pack_fast = vector_pack()) {
    const NumberFormats& f = model_.formats;
    const int added = pack_fast({view_.positions, r, list, view_.neighbor_count[i], view_.mask, view_.types, view_.type_map, std::ldexp(1.0, f.dx_frac),
                                 static_cast<double>(limit(f.dx_bits)), std::ldexp(1.0, -model_.shifts.u), static_cast<double>(model_.u_cut),
                                 static_cast<double>(model_.u_min), model_.max_neighbors}, batch);
    if (added >= 0) return packer.finish(added);
  }
  for (int candidate = 0; candidate < view_.neighbor_count[i]; ++candidate) {
    const int j = list[candidate] & view_.mask;
    const int neighbor_type = type(j);
    if (neighbor_type < 0) continue;
    const double* other = &view_.positions[3 * std::int64_t{j}];
    packer.add_vector(j, neighbor_type, other[0] - r[0], other[1] - r[1], other[2] - r[2]);
  }
  packer.finish();
}

NeighborVectors::NeighborVectors(const Model& model, std::span<const std::int64_t> types, std::span<const std::int64_t> center,
                                 std::span<const std::int64_t> neighbor, std::span<const double> vectors)
    : model_(model), types_(types), neighbor_(neighbor), vectors_(vectors), first_(types.size() + 1), order_(center.size()) {
  if (center.size() != neighbor.size() || vectors.size() != 3 * neighbor.size()) fail("center, neighbor and vectors differ in length");
  require_types(model, types);
  require_atoms(center, types.size());
  require_atoms(neighbor, types.size());
  for (const std::int64_t i : center) ++first_[index(i) + 1];
  for (std::size_t i = 0; i < types.size(); ++i) first_[i + 1] += first_[i];
  std::vector<std::size_t> next(first_.begin(), first_.end() - 1);
  for (std::size_t p = 0; p < center.size(); ++p) order_[next[index(center[p])]++] = p;
}

void NeighborVectors::pack(int center, AtomBatch& batch) const {
  Packer packer(model_, center, type(center), batch);
  for (std::size_t k = first_[index(center)]; k < first_[index(center) + 1]; ++k) {
    const std::size_t p = order_[k];
    const int j = static_cast<int>(neighbor_[p]);
    packer.add_vector(j, type(j), vectors_[3 * p], vectors_[3 * p + 1], vectors_[3 * p + 2]);
  }
  packer.finish();
}

NeighborWords::NeighborWords(const Model& model, std::span<const std::int64_t> types, std::span<const std::int64_t> first,
                             std::span<const std::int64_t> neighbor, std::span<const std::int64_t> displacement)
    : model_(model), types_(types), first_(first), neighbor_(neighbor), displacement_(displacement) {
  const auto pairs = static_cast<std::int64_t>(neighbor.size());
  if (first.size() != types.size() + 1 || first.front() != 0 || first.back() != pairs || displacement.size() != 3 * neighbor.size()) {
    fail("neighbor arrays disagree: first must have one entry per atom and one more, from 0 to the number of pairs");
  }
  require_types(model, types);
  require_atoms(neighbor, types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (first[i] > first[i + 1]) fail(text("first decreases at atom ", i), static_cast<std::int64_t>(i));
  }
  const std::int64_t reach = limit(model.formats.dx_bits);
  for (std::size_t p = 0; p < neighbor.size(); ++p) {
    const std::int64_t x = displacement[3 * p], y = displacement[3 * p + 1], z = displacement[3 * p + 2];
    const bool fits = clamp(x, reach) == x && clamp(y, reach) == y && clamp(z, reach) == z;
    if (!fits || rnd(x * x + y * y + z * z, model.shifts.u) >= model.u_cut) {
      fail(text("displacement of pair ", p, " is too wide or not inside the cutoff"));
    }
  }
}

void NeighborWords::pack(int center, AtomBatch& batch) const {
  Packer packer(model_, center, type(center), batch);
  for (std::int64_t p = first_[index(center)]; p < first_[index(center) + 1]; ++p) {
    const int j = static_cast<int>(neighbor_[index(p)]);
    const auto word = [this, p](int axis) { return static_cast<std::int32_t>(displacement_[index(3 * p + axis)]); };
    packer.add_words(j, type(j), word(0), word(1), word(2));
  }
  packer.finish();
}

}  // namespace nvnmd
