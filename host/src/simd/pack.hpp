// Section 2 of docs/numerics.md for many candidates at a time.
#pragma once

#include "../batch.hpp"

namespace nvnmd::simd {

// The candidates of one center; see NeighborList::View.
struct Candidates {
  const double* positions;
  const double* center;  // [3]
  const int* list;
  int count;
  int mask;
  const int* types;
  const int* type_map;
  double scale;           // 2^dx_frac
  double reach;           // largest |displacement word|
  double u_scale;         // 2^-(2 dx_frac - u_frac)
  double u_cut, u_min;
  int max_neighbors;
};

// Appends the neighbors of the next center to the batch and returns how many; -1 when something needs a closer look (a position that is not
// finite, an atom too close, too many neighbors): nothing is appended then.
using PackFunction = int (*)(const Candidates&, AtomBatch&);

int pack_avx512(const Candidates& candidates, AtomBatch& batch);

}  // namespace nvnmd::simd
