#include <functional>
#include <random>

#include <catch2/catch.hpp>

#include "error.hpp"
#include "model.hpp"
#include "tiny_model.hpp"

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using nvnmd::Model;

namespace {

// Loads the file: true when it is a model, false when it is refused with an Error that names it; anything else fails the test.
bool loads(const std::string& bytes) {
  try {
    load_bytes(bytes);
    return true;
  } catch (const nvnmd::Error& error) {
    CHECK(error.code() == nvnmd::ErrorCode::model_file);
    CHECK_THAT(error.what(), StartsWith("tiny.nvnmd: "));
    return false;
  }
}

void check_refused(const TinyModel& tiny, const std::string& reason) {
  CHECK_THROWS_WITH(tiny.load(), Contains(reason));
}

}  // namespace

TEST_CASE("a valid file is read") {
  const auto model = TinyModel().load();
  CHECK(model->type_map == std::vector<std::string>{"Ge"});
  CHECK(model->n_seg == 32);
  CHECK(model->m1 == 2);
  CHECK(model->layers.size() == 1);
  CHECK(model->energy_bias.at(0) == -7);
  CHECK(model->formats.grad_frac == std::vector<int>{12, 11});
  CHECK(model->type_of("Ge") == 0);
  CHECK_THROWS_WITH(model->type_of("Te"), Contains("no element Te; it knows Ge"));
}

TEST_CASE("files that are no models are refused") {
  CHECK_THROWS_WITH(Model::load("/no/such/file.nvnmd"), Contains("no such model file"));
  CHECK_THROWS_WITH(Model::load("/"), Contains("no such model file"));
  CHECK_FALSE(loads(""));
  CHECK_FALSE(loads("not a model"));
  CHECK_FALSE(loads(std::string(8, '\xff') + "{}"));
  CHECK_THROWS_WITH(load_bytes(words(std::vector<std::uint64_t>{2}) + "{}"), Contains("not an nvnmd model"));
}

TEST_CASE("a long provenance is skipped, a deep one refused") {
  std::string hashes = "\"0\"";
  for (int frame = 0; frame < 100000; ++frame) hashes += ", \"5f36b2ea290645ee34d943220a14b54e\"";
  CHECK(loads(TinyModel().replace("\"provenance\": {}", "\"provenance\": {\"frames\": [" + hashes + "]}").bytes()));
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  check_refused(TinyModel().replace("\"provenance\": {}", "\"provenance\": " + deep), "nested too deeply");
}

TEST_CASE("a file cut at any byte is refused") {
  const std::string bytes = TinyModel().bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) REQUIRE_FALSE(loads(bytes.substr(0, size)));
  CHECK_FALSE(loads(bytes + '\0'));
}

TEST_CASE("a file with changed bytes loads or is refused, and nothing else") {
  const std::string bytes = TinyModel().bytes();
  const std::size_t header = TinyModel().header().size() + 8;
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string damaged = bytes;
    for (unsigned change = 0; change <= random() % 3; ++change) {
      const std::size_t region = round % 4 == 0 ? damaged.size() : header;
      damaged[random() % region] = static_cast<char>(random());
    }
    refused += !loads(damaged);
  }
  CHECK(refused > 2000);
}

TEST_CASE("metadata that is out of range is refused by name") {
  const std::vector<std::pair<std::pair<const char*, const char*>, const char*>> cases = {
      {{"\"version\": 1", "\"version\": 2"}, "version 2; this release reads version 1"},
      {{"\"format\": \"nvnmd\"", "\"format\": \"other\""}, "not an nvnmd model"},
      {{"[\"Ge\"]", "[]"}, "type_map"},
      {{"[\"Ge\"]", "[\"Ge\", \"Ge\"]"}, "twice"},
      {{"\"u_cut\": 1048576", "\"u_cut\": 18446744073709551615"}, "u_cut must be an integer"},
      {{"\"u_cut\": 1048576", "\"u_cut\": -1"}, "u_cut must be an integer"},
      {{"\"u_cut\": 1048576", "\"u_cut\": 1e6"}, "u_cut must be an integer"},
      {{"\"u_cut\": 1048576", "\"u_cut\": 1048579"}, "rcut_A and u_cut disagree"},
      {{"\"u_min\": 32768", "\"u_min\": 32769"}, "u_min must be a multiple"},
      {{"\"u_min\": 32768", "\"u_min\": 1048576"}, "u_min must be a multiple"},
      {{"\"max_neighbors\": 3", "\"max_neighbors\": 4096"}, "max_neighbors must be an integer"},
      {{"\"m2\": 1", "\"m2\": 3"}, "wrong shape"},
      {{"\"skip\": [false]", "\"skip\": [true]"}, "cannot have a skip connection"},
      {{"\"skip\": [false]", "\"skip\": []"}, "skip must list"},
      {{"\"skip\": [false]", "\"skip\": [false, false]"}, "the lists disagree"},
      {{"\"dx_bits\": 18", "\"dx_bits\": 15"}, "dx_bits cannot hold"},
      {{"\"dx_bits\": 18", "\"dx_bits\": 19"}, "dx_bits must be 2 to 18"},
      {{"\"x_bits\": 15", "\"x_bits\": 16"}, "x_bits"},
      {{"\"z_frac\": 12", "\"z_frac\": 11"}, "not tied"},
      {{"\"grad_frac\": [12, 11]", "\"grad_frac\": [12, 10]"}, "grad_frac of the last layer"},
      {{"\"env_frac\": 10", "\"env_frac\": 60"}, "the shift of stage R0 is -38"},
      {{"\"b_frac\": 25", "\"b_frac\": 64"}, "shift of stage B"},
      {{"\"h_shift\": 6", "\"h_shift\": 12"}, "the sum T can exceed 52 bits"},
      {{"\"y_frac\": 11", "\"y_frac\": 1000"}, "y_frac must be an integer"},
      {{"\"y_frac\": 11", "\"y_frac\": true"}, "y_frac must be an integer"},
      {{"\"y_frac\": 11", "\"y_bits\": 11"}, "y_frac"},
      {{"\"y_frac\": 11", "\"y_frac\": 11, \"more\": 1"}, "another version"},
  };
  for (const auto& [change, reason] : cases) {
    CAPTURE(change.first, change.second);
    TinyModel tiny;
    check_refused(tiny.replace(change.first, change.second), reason);
  }
}

TEST_CASE("tensors that break a guarantee are refused by name") {
  const std::vector<std::pair<std::function<void(TinyModel&)>, const char*>> cases = {
      {[](TinyModel& m) { m.tensor("tanh.coef").name = "tanh.coefs"; }, "tanh.coef is missing"},
      {[](TinyModel& m) { m.tensors.push_back({"gat", "I16", {1}, words(std::vector<std::int16_t>{0})}); }, "unknown tensor gat"},
      {[](TinyModel& m) { m.tensor("fit.weight.1").dtype = "F16"; }, "fit.weight.1 holds words of type F16"},
      {[](TinyModel& m) { m.tensor("fit.weight.1").dtype = "I128"; }, "unknown type I128"},
      {[](TinyModel& m) { m.tensor("fit.weight.1").shape = {1, 4, 1}; }, "fit.weight.1 has a wrong shape"},
      {[](TinyModel& m) { m.tensor("fit.weight.1").shape = {2, 2}; }, "wrong number of dimensions"},
      {[](TinyModel& m) { m.tensor("fit.weight.1").shape = {1, 2, 3}; }, "shape and offsets disagree"},
      {[](TinyModel& m) { m.tensor("fit.weight.1").shape = {1LL << 40, 1LL << 40, 1LL << 40}; }, "out of range"},
      {[](TinyModel& m) { m.tensor("feature.table").bytes = words(std::vector<std::int32_t>{1}); }, "feature.table names"},
      {[](TinyModel& m) { m.tensor("scalar.table").bytes = words(std::vector<std::int32_t>{-1}); }, "scalar.table names"},
      {[](TinyModel& m) { m.tensor("fit.weight.1").bytes = words(std::vector<std::int16_t>{-32768, 0, 0, 0}); }, "exceeds weight_bits"},
      {[](TinyModel& m) { m.tensor("fit.weight.1").bytes = words(std::vector<std::int16_t>(4, 32767)); m.tensor("fit.bias.1").bytes = words(std::vector<std::int32_t>{200000, 0}); },
       "the forward sum can exceed 32 bits"},
      {[](TinyModel& m) { m.tensor("fit.out.bias").bytes = words(std::vector<std::int32_t>{-2147483647 - 1}); }, "fit.out.weight: the forward"},
      {[](TinyModel& m) { m.tensor("energy_bias").bytes = words(std::vector<std::int64_t>{1LL << 62}); }, "energy_bias exceeds 48 bits"},
      {[](TinyModel& m) { m.tensor("tanh.coef").bytes[1] = '\x7f'; m.tensor("tanh.coef").bytes[0] = '\xff'; }, "tanh.coef: a value can exceed 32767"},
      {[](TinyModel& m) { m.tensor("feature.coef").bytes.replace(382, 2, words(std::vector<std::int16_t>{20000})); }, "feature.coef: a slope can exceed 32767"},
      {[](TinyModel& m) { m.tensor("scalar.coef").bytes.replace(24 * 31, 4, words(std::vector<std::int32_t>{1 << 26})); }, "scalar.coef (s): a value"},
      {[](TinyModel& m) { m.tensor("scalar.coef").bytes.replace(24 * 31 + 16, 4, words(std::vector<std::int32_t>{1 << 26})); }, "scalar.coef (h): a slope"},
      {[](TinyModel& m) { m.tensor("guard.coef").bytes.replace(12 * 31, 4, words(std::vector<std::int32_t>{2147483647})); }, "guard.coef: a value"},
  };
  for (const auto& [change, reason] : cases) {
    CAPTURE(reason);
    TinyModel tiny;
    change(tiny);
    check_refused(tiny, reason);
  }
}

TEST_CASE("rows below the start of the tables are not looked at") {
  TinyModel tiny;
  tiny.tensor("scalar.coef").bytes.replace(0, 4, words(std::vector<std::int32_t>{1 << 30}));
  CHECK(loads(tiny.bytes()));
}
