#include "active_set.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "error.hpp"
#include "grade_panels.hpp"
#include "model_check.hpp"
#include "safetensors.hpp"
#include "sha256.hpp"
#include "shallow_json.hpp"
#include "text.hpp"

namespace nvnmd {
namespace {

using Json = nlohmann::json;
constexpr int kVersion = 1;
constexpr double kConstantFeature = 16384.0;  // the last of every atom

std::string listed(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : " ") + name;
  return all;
}

void check_header(const TensorFile& file, const Model& model, const std::filesystem::path& model_file) {
  const auto found = file.metadata.find("nvnmd-gamma");
  require(found != file.metadata.end(), "a safetensors file, but not an active set; 'nvnmd gamma' writes one");
  const Json header = Json::parse(found->second, keep_shallow);
  require(header.is_object() && header.at("version") == kVersion, text("of another version; this release reads version ", kVersion, ". Update nvnmd"));
  const auto elements = header.at("type_map").get<std::vector<std::string>>();
  require(elements == model.type_map, text("it is for the elements ", listed(elements), ", the model ", model_file.string(), " has ", listed(model.type_map),
                                           "; make it again with 'nvnmd gamma'"));
  require(header.at("model_sha256") == sha256(read_bytes(model_file)),
          text("it belongs to another model than ", model_file.string(), "; make it again with 'nvnmd gamma'"));
}

std::vector<double> inverse_of(const TensorFile& file, int type, std::size_t size) {
  const std::string name = text("inverse.", type);
  const auto found = file.tensors.find(name);
  require(found != file.tensors.end(), text("tensor ", name, " is missing"));
  const auto extent = static_cast<std::int64_t>(size);
  require(found->second.dtype == "F64" && found->second.shape == std::vector<std::int64_t>{extent, extent},
          text("tensor ", name, " must hold ", size, " x ", size, " doubles"));
  std::vector<double> words(size * size);
  std::memcpy(words.data(), found->second.data, found->second.bytes);
  require(std::all_of(words.begin(), words.end(), [](double word) { return std::isfinite(word); }), text("tensor ", name, " has a number that is not finite"));
  return words;
}

std::vector<double> in_panels(const std::vector<double>& matrix, std::size_t size) {
  constexpr std::size_t panel = kPanelColumns;
  std::vector<double> panels((size + panel - 1) / panel * panel * size);
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t k = 0; k < size; ++k) panels[(k / panel * size + i) * panel + k % panel] = matrix[i * size + k];
  return panels;
}

struct Here {
  static constexpr std::size_t kLanes = 2;
};

GradeAtoms fastest() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return grade_atoms_avx512;
  if (__builtin_cpu_supports("avx2")) return grade_atoms_avx2;
#endif
  return grade_all<Here>;
}

}  // namespace

std::shared_ptr<const ActiveSet> ActiveSet::load(const std::filesystem::path& path, const Model& model, const std::filesystem::path& model_file) {
  std::error_code problem;
  if (!std::filesystem::is_regular_file(path, problem)) {
    throw Error(ErrorCode::active_set, text(path.string(), ": no such active set; 'nvnmd gamma ", model_file.string(), " --data FRAMES' writes one"));
  }
  try {
    const TensorFile file = parse_tensor_file(read_bytes(path), path.string());
    check_header(file, model, model_file);
    std::shared_ptr<ActiveSet> set(new ActiveSet);
    set->width_ = static_cast<std::size_t>(model.layers.back().outputs);
    const std::size_t size = set->width_ + 1;
    for (int type = 0; type < model.types(); ++type) set->inverse_.push_back(in_panels(inverse_of(file, type, size), size));
    return set;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(ErrorCode::active_set, text("active set ", path.string(), ": ", printable(error.what(), 400)));
  }
}

void ActiveSet::grades(int type, const std::int16_t* hidden, int atoms, double* gamma) const {
  static const GradeAtoms grade = fastest();
  const std::vector<double>& words = inverse_[static_cast<std::size_t>(type)];
  const std::size_t size = width_ + 1;
  const auto count = static_cast<std::size_t>(atoms);
  std::vector<double> features(count * size, kConstantFeature);
  for (std::size_t atom = 0; atom < count; ++atom) std::copy_n(hidden + atom * width_, width_, &features[atom * size]);
  grade({words.data(), words.size() / (size * kPanelColumns), size}, features.data(), count, gamma);
}

}  // namespace nvnmd
