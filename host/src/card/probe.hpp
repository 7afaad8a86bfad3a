// Atoms that test a card.
#pragma once

#include "batch.hpp"
#include "model.hpp"

namespace nvnmd::card {

inline constexpr int kProbeAtoms = 4;

// Atoms of one type with none, some and the most neighbors, anywhere inside the cutoff; the same ones for every call.
void fill_probe(const Model& model, int type, AtomBatch& batch);

// Whether energies, pair forces and counts agree.
bool same(const AtomBatch& batch, const BatchResult& a, const BatchResult& b);

}  // namespace nvnmd::card
