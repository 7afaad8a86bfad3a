// The loader of model files, and every kernel on whatever model it accepts.
#include "target.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "driver.hpp"
#include "error.hpp"
#include "fixed.hpp"
#include "kernel.hpp"
#include "model.hpp"

namespace {

constexpr std::int64_t kMostWork = 1 << 22;  // weights and channels of an atom: larger models would only be slow

struct Words {
  std::vector<std::int64_t> types, first, neighbor, displacement;
};

// Some atoms with neighbors spread over the whole sphere of the model, from touching to the cutoff.
Words some_words(const nvnmd::Model& model) {
  constexpr int atoms = 5;
  Words words;
  std::uint64_t state = 1;
  const auto random = [&state](std::int64_t most) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::int64_t>(state >> 33) % (2 * most + 1) - most;
  };
  const std::int64_t reach = nvnmd::limit(model.formats.dx_bits);
  for (int i = 0; i < atoms; ++i) words.types.push_back(i % model.types());
  words.first.push_back(0);
  for (int i = 0; i < atoms; ++i) {
    int added = 0;
    for (int attempt = 0; attempt < 40 && added < std::min(model.max_neighbors, 12 * i); ++attempt) {
      const std::int64_t size = reach >> (attempt % 4), x = random(size), y = random(size), z = random(size);
      if (nvnmd::rnd(x * x + y * y + z * z, model.shifts.u) >= model.u_cut) continue;
      words.displacement.insert(words.displacement.end(), {x, y, z});
      words.neighbor.push_back(attempt % atoms);
      ++added;
    }
    words.first.push_back(static_cast<std::int64_t>(words.neighbor.size()));
  }
  return words;
}

bool small_enough(const nvnmd::Model& model) {
  std::int64_t work = std::int64_t{model.types()} * model.types() * model.m1;
  for (const nvnmd::FittingLayer& layer : model.layers) work += static_cast<std::int64_t>(layer.weight.size());
  return work < kMostWork;
}

bool covers(const std::shared_ptr<const nvnmd::Model>& model, const std::string& kernel) {
  try {
    nvnmd::make_kernel(model, kernel);
    return true;
  } catch (const nvnmd::Error& error) {
    if (error.code() != nvnmd::ErrorCode::backend) throw;
    return false;
  }
}

nvnmd::FrameResult evaluate(const std::shared_ptr<const nvnmd::Model>& model, const std::string& kernel, const Words& words) {
  nvnmd::ForceDriver driver(nvnmd::make_cpu_backend(model, kernel, 1));
  return driver.compute(nvnmd::NeighborWords(*model, words.types, words.first, words.neighbor, words.displacement),
                        {.virial = true, .atom_virial = true, .hidden = true});
}

void require_same(const nvnmd::FrameResult& found, const nvnmd::FrameResult& expected, const std::string& kernel) {
  const bool same = found.atom_energy == expected.atom_energy && found.force == expected.force && found.atom_virial == expected.atom_virial &&
                    found.hidden == expected.hidden && found.counters.clipped == expected.counters.clipped &&
                    found.counters.too_close == expected.counters.too_close;
  if (same) return;
  std::fprintf(stderr, "kernel %s differs from the portable one\n", kernel.c_str());
  std::abort();
}

}  // namespace

bool accepted = false;

std::vector<std::string> own_inputs() { return {}; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  accepted = false;
  std::shared_ptr<const nvnmd::Model> model;
  try {
    model = nvnmd::Model::parse({data, data + size}, "input");
  } catch (const nvnmd::Error& error) {
    if (error.code() != nvnmd::ErrorCode::model_file) std::abort();
    return 0;
  }
  if (!small_enough(*model)) return 0;
  const Words words = some_words(*model);
  const nvnmd::FrameResult expected = evaluate(model, "portable", words);
  for (const std::string& kernel : nvnmd::kernel_names()) {
    if (covers(model, kernel)) require_same(evaluate(model, kernel, words), expected, kernel);
  }
  accepted = true;
  return 0;
}
