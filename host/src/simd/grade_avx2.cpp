#include "../grade_panels.hpp"

namespace nvnmd {
namespace {
struct Here {
  static constexpr std::size_t kLanes = 4;
};
}  // namespace

void grade_atoms_avx2(const GradePanels& matrix, const double* features, std::size_t atoms, double* gamma) {
  grade_all<Here>(matrix, features, atoms, gamma);
}

}  // namespace nvnmd
