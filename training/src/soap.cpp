#include "soap.hpp"

#include <algorithm>

namespace nvnmd::training {

SoapWork::SoapWork(int rows, int columns) {
  const auto m = static_cast<std::size_t>(padded(rows)), n = static_cast<std::size_t>(padded(columns));
  grad.resize(m * n);
  transposed.resize(m * n);
  left.resize(m * m);
  right.resize(n * n);
  right_transposed.resize(n * n);
  first.resize(m * n);
  second.resize(m * n);
  square.resize(std::max(m * m, n * n));
  axes.resize(std::max(m * m, n * n));
}

}  // namespace nvnmd::training
