// The arithmetic of extrapolation grades, compiled for several instruction sets that all give the same bits: sums run in one order, and
// no multiplication is fused with an addition.
#pragma once

#include <cstddef>
#include <cstring>

namespace nvnmd {

// A matrix [size, size] in panels of columns, [panel][size][kPanelColumns], filled up with zeros.
inline constexpr std::size_t kPanelColumns = 8;

struct GradePanels {
  const double* words;
  std::size_t panels, size;
};

// gamma[atom] = largest |component| of features[atom] times the matrix; features [atoms, size].
using GradeAtoms = void (*)(const GradePanels& matrix, const double* features, std::size_t atoms, double* gamma);

void grade_atoms_avx2(const GradePanels& matrix, const double* features, std::size_t atoms, double* gamma);
void grade_atoms_avx512(const GradePanels& matrix, const double* features, std::size_t atoms, double* gamma);

// Sums of a register's columns stay in registers, for `together` atoms. `Isa` is a type of the translation unit, so that the linker
// does not take one unit's code for another's; its kLanes are the doubles of a register.
template <class Isa, std::size_t together>
void grade_some(const GradePanels& m, const double* features, double* gamma) {
  using Lanes [[gnu::vector_size(Isa::kLanes * sizeof(double))]] = double;
  for (std::size_t atom = 0; atom < together; ++atom) gamma[atom] = 0.0;
  for (std::size_t column = 0; column < m.panels * kPanelColumns; column += Isa::kLanes) {
    const double* rows = m.words + column / kPanelColumns * m.size * kPanelColumns + column % kPanelColumns;
    Lanes sums[together] = {}, row;
    for (std::size_t i = 0; i < m.size; ++i) {
      std::memcpy(&row, rows + i * kPanelColumns, sizeof row);
      for (std::size_t atom = 0; atom < together; ++atom) sums[atom] += features[atom * m.size + i] * row;
    }
    for (std::size_t atom = 0; atom < together; ++atom) {
      for (std::size_t k = 0; k < Isa::kLanes; ++k) {
        const double size = __builtin_fabs(sums[atom][k]);
        if (size > gamma[atom]) gamma[atom] = size;
      }
    }
  }
}

template <class Isa>
void grade_all(const GradePanels& m, const double* features, std::size_t atoms, double* gamma) {
  constexpr std::size_t together = 8;
  std::size_t atom = 0;
  for (; atom + together <= atoms; atom += together) grade_some<Isa, together>(m, features + atom * m.size, gamma + atom);
  for (; atom < atoms; ++atom) grade_some<Isa, 1>(m, features + atom * m.size, gamma + atom);
}

}  // namespace nvnmd
