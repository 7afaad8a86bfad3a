#include "tiny_model.hpp"

#include <sstream>
#include <stdexcept>

namespace {

constexpr std::size_t kSegments = 32, kTanhSegments = 64;

std::vector<std::int32_t> guard_rows() {
  std::vector<std::int32_t> rows;
  for (std::size_t seg = 0; seg < kSegments; ++seg) rows.insert(rows.end(), {0, TinyModel::kGuardSlope, 0});
  return rows;
}

template <class Word>
std::string zeros(std::size_t count) {
  return std::string(count * sizeof(Word), '\0');
}

std::string quoted(const std::string& text) {
  std::string escaped = "\"";
  for (const char letter : text) escaped += letter == '"' ? std::string("\\\"") : std::string(1, letter);
  return escaped + '"';
}

}  // namespace

TinyModel::TinyModel()
    : json(R"({"format": "nvnmd", "version": 1, "type_map": ["Ge"], "rcut_A": 2.0, "u_cut": 1048576, "u_min": 32768, "m2": 1,)"
           R"( "max_neighbors": 3, "skip": [false], "provenance": {}, "formats": {"dx_bits": 18, "dx_frac": 14, "u_frac": 18,)"
           R"( "feature_frac": 14, "feature_shift": 5, "s_frac": 22, "s_shift": 7, "h_frac": 22, "h_shift": 6, "env_frac": 10,)"
           R"( "norm_shift": 5, "x_bits": 15, "x_frac": 13, "d_frac": 15, "weight_bits": 16, "weight_frac": [12, 11],)"
           R"( "act_frac": [15, 13], "grad_frac": [12, 11], "z_frac": 12, "tanh_seg_bits": 9, "tanh_shift": 5, "y_frac": 11,)"
           R"( "a_bits": 18, "a_frac": 17, "b_bits": 18, "b_frac": 25, "v_bits": 18, "v_frac": 17, "p_bits": 27, "p_frac": 20,)"
           R"( "f_bits": 32, "f_frac": 20, "e_frac": 22, "w_frac": 20}})"),
      tensors{{"feature.coef", "I16", {1, kSegments, 3, 2}, zeros<std::int16_t>(kSegments * 6)},
              {"scalar.coef", "I32", {1, kSegments, 2, 3}, zeros<std::int32_t>(kSegments * 6)},
              {"guard.coef", "I32", {1, kSegments, 3}, words(guard_rows())},
              {"feature.table", "I32", {1, 1}, zeros<std::int32_t>(1)},
              {"scalar.table", "I32", {1, 1}, zeros<std::int32_t>(1)},
              {"guard.table", "I32", {1, 1}, zeros<std::int32_t>(1)},
              {"fit.weight.1", "I16", {1, 2, 2}, zeros<std::int16_t>(4)},
              {"fit.bias.1", "I32", {1, 2}, zeros<std::int32_t>(2)},
              {"fit.out.weight", "I16", {1, 2}, zeros<std::int16_t>(2)},
              {"fit.out.bias", "I32", {1}, zeros<std::int32_t>(1)},
              {"energy_bias", "I64", {1}, words(std::vector<std::int64_t>{-7})},
              {"tanh.coef", "I16", {kTanhSegments, 3}, zeros<std::int16_t>(kTanhSegments * 3)}} {}

Tensor& TinyModel::tensor(const std::string& name) {
  for (Tensor& candidate : tensors) {
    if (candidate.name == name) return candidate;
  }
  throw std::logic_error("no tensor " + name);
}

TinyModel& TinyModel::replace(const std::string& from, const std::string& to) {
  const auto at = json.find(from);
  if (at == std::string::npos) throw std::logic_error("the metadata has no " + from);
  json.replace(at, from.size(), to);
  return *this;
}

std::string TinyModel::header() const {
  std::ostringstream text;
  text << "{\"__metadata__\": {\"nvnmd\": " << quoted(json) << "}";
  std::size_t begin = 0;
  for (const Tensor& tensor : tensors) {
    text << ", " << quoted(tensor.name) << ": {\"dtype\": " << quoted(tensor.dtype) << ", \"shape\": [";
    for (std::size_t axis = 0; axis < tensor.shape.size(); ++axis) text << (axis > 0 ? "," : "") << tensor.shape[axis];
    text << "], \"data_offsets\": [" << begin << ", " << begin + tensor.bytes.size() << "]}";
    begin += tensor.bytes.size();
  }
  return text.str() + "}";
}

std::string TinyModel::bytes() const {
  const std::string text = header();
  std::string all = words(std::vector<std::uint64_t>{text.size()}) + text;
  for (const Tensor& tensor : tensors) all += tensor.bytes;
  return all;
}

std::shared_ptr<const nvnmd::Model> TinyModel::load() const { return load_bytes(bytes()); }

std::shared_ptr<const nvnmd::Model> load_bytes(const std::string& bytes) { return nvnmd::Model::parse({bytes.begin(), bytes.end()}, "tiny.nvnmd"); }
