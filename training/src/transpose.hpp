#pragma once
// Transposition in blocks of four by four, for any instruction set.

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace nvnmd::training {
namespace {

// to[c][r] = from[r][c] for four rows and four columns.
[[gnu::always_inline]] inline void transpose_block(const float* from, std::size_t from_stride, float* to, std::size_t to_stride) {
  using Four = float __attribute__((vector_size(16)));
  using Index = int __attribute__((vector_size(16)));
  Four row[4];
  for (std::size_t r = 0; r < 4; ++r) std::memcpy(&row[r], from + r * from_stride, sizeof(Four));
  const Four a = __builtin_shuffle(row[0], row[1], Index{0, 4, 1, 5}), b = __builtin_shuffle(row[0], row[1], Index{2, 6, 3, 7});
  const Four c = __builtin_shuffle(row[2], row[3], Index{0, 4, 1, 5}), d = __builtin_shuffle(row[2], row[3], Index{2, 6, 3, 7});
  const Four columns[4] = {__builtin_shuffle(a, c, Index{0, 1, 4, 5}), __builtin_shuffle(a, c, Index{2, 3, 6, 7}),
                           __builtin_shuffle(b, d, Index{0, 1, 4, 5}), __builtin_shuffle(b, d, Index{2, 3, 6, 7})};
  for (std::size_t k = 0; k < 4; ++k) std::memcpy(to + k * to_stride, &columns[k], sizeof(Four));
}

// to[c][r] = from[r][c]; other places of `to` stay as they are.
inline void transpose(int rows, int columns, const float* from, int from_stride, float* to, int to_stride) {
  const auto at = [](int row, int stride, int column) {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(stride) + static_cast<std::size_t>(column);
  };
  for (int r = 0; r < rows; r += 4) {
    for (int c = 0; c < columns; c += 4) {
      if (r + 4 <= rows && c + 4 <= columns) {
        transpose_block(from + at(r, from_stride, c), static_cast<std::size_t>(from_stride), to + at(c, to_stride, r),
                        static_cast<std::size_t>(to_stride));
        continue;
      }
      for (int k = r; k < std::min(rows, r + 4); ++k) {
        for (int i = c; i < std::min(columns, c + 4); ++i) to[at(i, to_stride, k)] = from[at(k, from_stride, i)];
      }
    }
  }
}

}  // namespace
}  // namespace nvnmd::training
