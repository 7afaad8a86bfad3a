// The random numbers of the RTL's stream bench, drawn as it draws them.
#pragma once

#include <random>

namespace nvnmd::sim {

class Chance {
 public:
  explicit Chance(unsigned seed) : random_(seed) {}
  bool at_least(double probability) { return uniform_(random_) >= probability; }
  double uniform() { return uniform_(random_); }

 private:
  std::mt19937 random_;
  std::uniform_real_distribution<double> uniform_{0.0, 1.0};
};

}  // namespace nvnmd::sim
