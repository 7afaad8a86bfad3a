// A model in the order that vector code reads: padded to whole registers, weights in blocks, bounds beside the tables.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "../model.hpp"

namespace nvnmd::simd {

template <class T>
struct CacheLineAllocator {
  using value_type = T;
  CacheLineAllocator() = default;
  template <class U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}  // NOLINT: allocators convert
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{64})); }
  void deallocate(T* p, std::size_t) { ::operator delete(p, std::align_val_t{64}); }
  template <class U>
  bool operator==(const CacheLineAllocator<U>&) const {
    return true;
  }
};
template <class T>
using Aligned = std::vector<T, CacheLineAllocator<T>>;

// A matrix of 16-bit weights for products with many activation vectors. Outputs come in groups of 32: two registers of 16 32-bit sums
// whose 128-bit lanes interleave, so that packing both to 16 bits restores the order of the outputs. Words of one input pair
// lie side by side: [group][input pair][low or high register][16 outputs][2 inputs].
struct PackedMatrix {
  int groups = 0, input_pairs = 0;
  Aligned<std::int16_t> words;
};

struct PackedLayer {
  PackedMatrix forward, backward;
  Aligned<std::int32_t> bias;  // in the order of the sums
  bool skip = false;
};

// One row for a pair of types and a segment: coefficients of s and h, and bounds of |G| and |slope of G| over all channels.
struct ScalarRow {
  std::int32_t s[3], h[3], most_g, most_slope;
};

// Where the tables of an ordered pair of types start.
struct TypeTables {
  const ScalarRow* scalars = nullptr;       // [n_seg]
  const std::int16_t* features = nullptr;   // [n_seg][3][m1]
  const std::int16_t* gate = nullptr;       // [m1], or null
};

struct PackedNetwork {
  std::vector<PackedLayer> layers;
  Aligned<std::int16_t> out_weight;
};

class Layout {
 public:
  explicit Layout(std::shared_ptr<const Model> model);
  ~Layout();
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;

  // Whether the vector kernel covers the sizes and formats of a model; the portable kernel covers all.
  static bool covers(const Model& model);

  const Model& model() const { return *model_; }
  int m1() const { return m1_; }  // padded to a multiple of 32
  int width(int layer) const { return widths_[static_cast<std::size_t>(layer)]; }  // padded; 0 is the descriptor, [M2][m1]
  int widest() const;
  const TypeTables& tables(int center, int neighbor) const { return tables_[static_cast<std::size_t>(center * types_ + neighbor)]; }
  const PackedNetwork& network(int center) const { return networks_[static_cast<std::size_t>(center)]; }
  const std::int16_t* tanh() const { return tanh_.data() + kTanhLead; }  // [3][64]; the word before is readable

 private:
  static constexpr std::size_t kTanhLead = 32;
  const std::int16_t* feature_rows(int center, int neighbor) const;
  const std::int16_t* gate(int center, int neighbor) const;
  void pack_features();
  void pack_scalars();
  PackedNetwork pack_network(int type) const;

  std::shared_ptr<const Model> model_;
  int m1_ = 0, types_ = 0;
  std::vector<int> widths_;
  Aligned<std::int16_t> features_, gates_, tanh_;
  Aligned<ScalarRow> scalars_;
  std::vector<TypeTables> tables_;
  std::vector<PackedNetwork> networks_;
};

}  // namespace nvnmd::simd
