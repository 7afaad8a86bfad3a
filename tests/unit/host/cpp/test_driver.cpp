#include <cmath>
#include <limits>

#include <catch2/catch.hpp>

#include "driver.hpp"
#include "error.hpp"
#include "fixed.hpp"
#include "tiny_model.hpp"

using Catch::Matchers::Contains;
using nvnmd::NeighborList;

namespace {

constexpr int kMask = 0x1FFFFFFF;

// Atoms on a line and a full neighbor list, as LAMMPS holds them; high bits of neighbors carry other information.
struct Line {
  std::shared_ptr<const nvnmd::Model> model = TinyModel().load();
  std::vector<double> positions;
  std::vector<int> types, centers, counts;
  std::vector<std::vector<int>> lists;
  std::vector<const int*> pointers;
  std::vector<int> type_map = {-1, 0, -1};  // type 1 is Ge, type 2 is not of this model

  Line(const std::vector<double>& x, std::size_t owned) : types(x.size(), 1), counts(x.size(), 0), lists(x.size()) {
    for (const double value : x) positions.insert(positions.end(), {value, 0.25, -0.5});
    for (std::size_t i = 0; i < owned; ++i) {
      centers.push_back(static_cast<int>(i));
      for (std::size_t j = 0; j < x.size(); ++j) {
        if (j != i) lists[i].push_back(static_cast<int>(j) | (j % 2 == 1 ? 1 << 30 : 0));
      }
      counts[i] = static_cast<int>(lists[i].size());
    }
  }

  NeighborList neighbors() {
    pointers.clear();
    for (const auto& list : lists) pointers.push_back(list.data());
    return NeighborList(*model, {static_cast<int>(centers.size()), centers.data(), counts.data(), pointers.data(), kMask,
                                 static_cast<int>(types.size()), positions.data(), types.data(), type_map.data()});
  }

  nvnmd::FrameResult compute(int threads = 1, nvnmd::Wanted wanted = {true, true}) {
    nvnmd::ForceDriver driver(nvnmd::make_cpu_backend(model, "portable", threads));
    return driver.compute(neighbors(), wanted);
  }
};

// The guard alone: E += rnd(t * slope, 15 + shift) in segment 2^3 r^2, P = slope.
std::int64_t pair_force(std::int64_t x) { return nvnmd::rnd(2 * x * TinyModel::kGuardSlope, 34 - 20); }

}  // namespace

TEST_CASE("a pair is repelled with equal and opposite forces") {
  const auto result = Line({0.0, 1.5}, 2).compute();
  const std::int64_t x = 3 << 13, f = pair_force(x);  // 1.5 angstrom
  // Both centers see the pair: dE_0/dr_01 = f and dE_1/dr_10 = -f.
  CHECK(f < 0);
  CHECK(result.force == std::vector<std::int64_t>{2 * f, 0, 0, -2 * f, 0, 0});
  CHECK(result.atom_energy[0] == result.atom_energy[1]);
  CHECK(result.energy == 2 * result.atom_energy[0]);
  CHECK(result.virial[0] == -2 * nvnmd::rnd(x * f, 14));
  CHECK(result.atom_virial[0] == result.atom_virial[9]);
  CHECK(result.counters.too_close == 0);
  CHECK(result.force_unit == std::ldexp(1.0, -20));
}

TEST_CASE("an image gets its own force, and only centers have energies") {
  const auto result = Line({0.0, 1.5}, 1).compute();
  const std::int64_t f = pair_force(3 << 13);
  CHECK(result.force == std::vector<std::int64_t>{f, 0, 0, -f, 0, 0});
  CHECK(result.atom_energy[1] == 0);
  CHECK(result.atom_energy[0] == result.energy);
}

TEST_CASE("atoms of other types are neither centers nor neighbors") {
  Line line({0.0, 1.5, -1.0}, 3);
  line.types[1] = 2;
  const auto result = line.compute();
  const std::int64_t f = pair_force(-(1 << 14));
  CHECK(result.force == std::vector<std::int64_t>{2 * f, 0, 0, 0, 0, 0, -2 * f, 0, 0});
  CHECK(result.atom_energy[1] == 0);
}

TEST_CASE("the cutoff is strict and decided in integers") {
  const double unit = std::ldexp(1.0, -14);
  CHECK(Line({0.0, 2.0}, 1).compute().force[0] == 0);
  CHECK(Line({0.0, 2.0 - unit}, 1).compute().force[0] != 0);
  CHECK(Line({0.0, 2.0 - 0.49 * unit}, 1).compute().force[0] == 0);
  CHECK(Line({0.0, 1e300}, 1).compute().force[0] == 0);
}

TEST_CASE("an atom without neighbors has the energy of the bias") {
  const auto result = Line({0.0}, 1).compute();
  CHECK(result.energy == -7);
  CHECK(result.force == std::vector<std::int64_t>{0, 0, 0});
  CHECK(Line({}, 0).compute().energy == 0);
}

TEST_CASE("bad positions are errors that name the atoms") {
  try {
    Line({0.0, 5.0, 5.25}, 3).compute();
    FAIL("atoms that are too close were accepted");
  } catch (const nvnmd::Error& error) {
    CHECK(error.code() == nvnmd::ErrorCode::too_close);
    CHECK(error.atom() == 1);
    CHECK(error.neighbor() == 2);
    CHECK_THAT(error.what(), Contains("atoms 1 and 2 are 0.25 A apart"));
  }
  CHECK_THROWS_WITH(Line({0.0, std::numeric_limits<double>::quiet_NaN()}, 1).compute(), Contains("atoms 0 and 1 is not a finite number"));
  CHECK_THROWS_WITH(Line({0.0, -std::numeric_limits<double>::infinity()}, 1).compute(), Contains("not a finite number"));
  CHECK_THROWS_WITH(Line({0.0, 1.0, -1.0, 1.5, 1.9}, 1).compute(), Contains("atom 0 has more than 3 neighbors"));
}

TEST_CASE("any number of threads gives the same integers and the same error") {
  std::vector<double> chain;
  for (int i = 0; i < 200; ++i) chain.push_back(1.45 * i + 0.2 * std::sin(i));
  const auto one = Line(chain, 180).compute(1);
  for (const int threads : {2, 5}) {
    const auto many = Line(chain, 180).compute(threads);
    CHECK(many.force == one.force);
    CHECK(many.atom_energy == one.atom_energy);
    CHECK(many.atom_virial == one.atom_virial);
    CHECK(many.virial == one.virial);
    CHECK(many.energy == one.energy);
  }
  chain[70] = chain[71] - 0.1;
  chain[150] = chain[151] - 0.1;
  for (const int threads : {1, 2, 5}) CHECK_THROWS_WITH(Line(chain, 180).compute(threads), Contains("atoms 70 and 71"));
}

TEST_CASE("a driver can be used again after an error, and with other atoms") {
  nvnmd::ForceDriver driver(nvnmd::make_cpu_backend(TinyModel().load(), "portable", 2));
  Line good({0.0, 1.5}, 2), bad({0.0, 0.1}, 2), more({0.0, 1.5, 3.0, 4.5}, 4);
  const auto first = driver.compute(good.neighbors());
  CHECK_THROWS_AS(driver.compute(bad.neighbors()), nvnmd::Error);
  CHECK(driver.compute(more.neighbors()).force.size() == 12);
  CHECK(driver.compute(good.neighbors()).force == first.force);
  std::vector<double> forces(6, 1.0);
  nvnmd::add_forces(first, forces.data());
  CHECK(forces[0] == 1.0 + static_cast<double>(first.force[0]) * first.force_unit);
}

TEST_CASE("an unknown kernel is refused with the known ones") {
  CHECK_THROWS_WITH(nvnmd::make_cpu_backend(TinyModel().load(), "fast"), Contains("portable"));
  CHECK_THROWS_WITH(nvnmd::make_cpu_backend(TinyModel().load(), "auto", -1), Contains("threads"));
}
