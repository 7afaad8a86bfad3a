// Activations of the last hidden layer, and the arithmetic of extrapolation grades.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>

#include <catch2/catch.hpp>

#include "driver.hpp"
#include "fixed.hpp"
#include "grade_panels.hpp"
#include "sha256.hpp"
#include "tiny_model.hpp"

using Catch::Matchers::Contains;

namespace {

template <class Word>
std::string rows(std::size_t count, const std::vector<Word>& row) {
  std::vector<Word> all;
  for (std::size_t k = 0; k < count; ++k) all.insert(all.end(), row.begin(), row.end());
  return words(all);
}

// Two channels, M2 = 2 and 40 hidden neurons that look at their surroundings: sizes that every kernel covers.
TinyModel seeing_model() {
  constexpr std::int64_t neurons = 40;
  TinyModel tiny;
  tiny.replace("\"m2\": 1", "\"m2\": 2").replace("\"max_neighbors\": 3", "\"max_neighbors\": 12");
  tiny.tensor("feature.coef").bytes = rows<std::int16_t>(32, {9000, -7000, 400, 300, 0, 0});
  tiny.tensor("scalar.coef").bytes = rows<std::int32_t>(32, {1 << 23, -(1 << 16), 0, 1 << 24, -(1 << 15), 0});
  std::mt19937 random(7);
  const auto weight = [&] { return static_cast<std::int16_t>(static_cast<int>(random() % 5001) - 2500); };
  std::vector<std::int16_t> hidden(4 * neurons), out(neurons);
  std::generate(hidden.begin(), hidden.end(), weight);
  std::generate(out.begin(), out.end(), [&] { return static_cast<std::int16_t>(weight() / 20); });
  std::vector<std::int32_t> bias(neurons);
  for (std::int32_t& word : bias) word = static_cast<std::int32_t>(random() % 600000000) - 300000000;
  tiny.tensor("fit.weight.1") = {"fit.weight.1", "I16", {1, neurons, 4}, words(hidden)};
  tiny.tensor("fit.bias.1") = {"fit.bias.1", "I32", {1, neurons}, words(bias)};
  tiny.tensor("fit.out.weight") = {"fit.out.weight", "I16", {1, neurons}, words(out)};
  std::vector<std::int16_t> tanh;
  for (std::int16_t seg = 0; seg < 64; ++seg) tanh.insert(tanh.end(), {static_cast<std::int16_t>(100 * seg), 3200, 0});
  tiny.tensor("tanh.coef").bytes = words(tanh);
  return tiny;
}

// `count` atoms at random places, every other a neighbor.
struct Cloud {
  explicit Cloud(std::int64_t count) {
    std::mt19937 random(3);
    std::uniform_real_distribution<double> place(0.6, 1.1);
    for (std::int64_t i = 0; i < count; ++i) {
      types.push_back(0);
      for (std::int64_t j = 0; j < count; ++j) {
        if (i == j || (i + j) % 4 == 0) continue;
        center.push_back(i);
        neighbor.push_back(j);
        for (int axis = 0; axis < 3; ++axis) vectors.push_back(random() % 2 == 0 ? place(random) : -place(random));
      }
    }
  }
  nvnmd::NeighborVectors neighbors(const nvnmd::Model& model) const { return {model, types, center, neighbor, vectors}; }

  std::vector<std::int64_t> types, center, neighbor;
  std::vector<double> vectors;
};

template <std::size_t lanes>
struct Portable {
  static constexpr std::size_t kLanes = lanes;
};

}  // namespace

TEST_CASE("every kernel gives the same activations, and the forces it gives without them") {
  const auto model = seeing_model().load();
  const Cloud cloud(9);
  std::vector<std::int16_t> reference;
  for (const std::string& kernel : nvnmd::kernel_names()) {
    CAPTURE(kernel);
    nvnmd::ForceDriver driver(nvnmd::make_cpu_backend(model, kernel, 2));
    const auto neighbors = cloud.neighbors(*model);
    const nvnmd::FrameResult plain = driver.compute(neighbors);
    CHECK(plain.hidden.empty());
    CHECK(plain.counters.clipped == decltype(plain.counters.clipped){});
    const nvnmd::FrameResult& result = driver.compute(neighbors, {.virial = true, .hidden = true});
    CHECK(result.force == plain.force);
    CHECK(result.atom_energy == plain.atom_energy);
    REQUIRE(result.hidden.size() == 9 * 40);
    if (reference.empty()) reference = result.hidden;
    CHECK(result.hidden == reference);
    CHECK(driver.compute(neighbors).hidden.empty());
  }
  CHECK_FALSE(std::equal(reference.begin(), reference.begin() + 40, reference.begin() + 40));
  CHECK(*std::max_element(reference.begin(), reference.end()) > 1000);
}

TEST_CASE("without a guard the energy is the output row applied to the activations") {
  TinyModel tiny = seeing_model();
  tiny.tensor("guard.coef").bytes = rows<std::int32_t>(32, {0, 0, 0});
  const auto model = tiny.load();
  nvnmd::ForceDriver driver(nvnmd::make_cpu_backend(model, "portable", 1));
  const nvnmd::FrameResult& result = driver.compute(Cloud(5).neighbors(*model), {.hidden = true});
  for (std::size_t atom = 0; atom < 5; ++atom) {
    std::int64_t sum = model->out_bias[0];
    for (std::size_t k = 0; k < 40; ++k) sum += std::int64_t{model->out_weight[k]} * result.hidden[40 * atom + k];
    CHECK(result.atom_energy[atom] == nvnmd::rnd(sum, model->shifts.e) + model->energy_bias[0]);
  }
}

TEST_CASE("grades without an active set are refused") {
  const auto model = seeing_model().load();
  nvnmd::ForceDriver driver(nvnmd::make_cpu_backend(model, "portable", 1));
  CHECK_THROWS_WITH(driver.compute(Cloud(3).neighbors(*model), {.gamma = true}), Contains("need an active set; 'nvnmd gamma' writes one"));
}

TEST_CASE("grades are the largest component, with the same bits for every width of registers") {
  constexpr std::size_t size = 13, panels = 2, atoms = 19;
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  std::vector<double> matrix(size * size), packed(panels * size * nvnmd::kPanelColumns), features(atoms * size), expected(atoms), found(atoms);
  for (double& word : matrix) word = normal(random);
  for (double& word : features) word = std::floor(1000.0 * normal(random));
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t k = 0; k < size; ++k) packed[(k / nvnmd::kPanelColumns * size + i) * nvnmd::kPanelColumns + k % nvnmd::kPanelColumns] = matrix[i * size + k];
  for (std::size_t atom = 0; atom < atoms; ++atom) {
    for (std::size_t k = 0; k < size; ++k) {
      double sum = 0.0;
      for (std::size_t i = 0; i < size; ++i) sum += features[atom * size + i] * matrix[i * size + k];
      expected[atom] = std::max(expected[atom], std::abs(sum));
    }
  }
  const auto check = [&](nvnmd::GradeAtoms grade) {
    grade({packed.data(), panels, size}, features.data(), atoms, found.data());
    CHECK(found == expected);
  };
  check(nvnmd::grade_all<Portable<2>>);
  check(nvnmd::grade_all<Portable<4>>);
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) check(nvnmd::grade_atoms_avx2);
  if (__builtin_cpu_supports("avx512f")) check(nvnmd::grade_atoms_avx512);
#endif
}

TEST_CASE("hashes are those of the standard") {
  const auto hash = [](const std::string& bytes) { return nvnmd::sha256(bytes); };
  CHECK(hash("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hash(std::string(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
