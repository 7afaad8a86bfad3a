#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "error.hpp"
#include "model.hpp"
#include "model_check.hpp"
#include "safetensors.hpp"
#include "shallow_json.hpp"
#include "text.hpp"

namespace nvnmd {
namespace {

using Json = nlohmann::json;
constexpr int kVersion = 1;

std::int64_t integer(const Json& value, const std::string& name, std::int64_t low, std::int64_t high) {
  const bool fits = value.is_number_unsigned() ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(high)
                                               : value.is_number_integer() && value.get<std::int64_t>() <= high;
  require(fits && value.get<std::int64_t>() >= low, text(name, " must be an integer from ", low, " to ", high));
  return value.get<std::int64_t>();
}

// Parser callback: the provenance can be long, and a reader that only computes has no use for it.
bool keep_needed(int depth, Json::parse_event_t event, Json& parsed) {
  return keep_shallow(depth, event, parsed) && !(event == Json::parse_event_t::key && depth == 1 && parsed == "provenance");
}

int small(const Json& value, const std::string& name) { return static_cast<int>(integer(value, name, -64, 64)); }

std::vector<int> small_list(const Json& list, const std::string& name) {
  require(list.is_array() && !list.empty() && list.size() <= 64, name + " must be a list of 1 to 64 integers");
  std::vector<int> values;
  for (const Json& word : list) values.push_back(small(word, name));
  return values;
}

NumberFormats parse_formats(const Json& data) {
  NumberFormats f;
  const std::pair<const char*, int*> scalars[] = {
      {"dx_bits", &f.dx_bits}, {"dx_frac", &f.dx_frac}, {"u_frac", &f.u_frac}, {"feature_frac", &f.feature_frac},
      {"feature_shift", &f.feature_shift}, {"s_frac", &f.s_frac}, {"s_shift", &f.s_shift}, {"h_frac", &f.h_frac},
      {"h_shift", &f.h_shift}, {"env_frac", &f.env_frac}, {"norm_shift", &f.norm_shift}, {"x_bits", &f.x_bits},
      {"x_frac", &f.x_frac}, {"d_frac", &f.d_frac}, {"weight_bits", &f.weight_bits}, {"z_frac", &f.z_frac},
      {"tanh_seg_bits", &f.tanh_seg_bits}, {"tanh_shift", &f.tanh_shift}, {"y_frac", &f.y_frac}, {"a_bits", &f.a_bits},
      {"a_frac", &f.a_frac}, {"b_bits", &f.b_bits}, {"b_frac", &f.b_frac}, {"v_bits", &f.v_bits}, {"v_frac", &f.v_frac},
      {"p_bits", &f.p_bits}, {"p_frac", &f.p_frac}, {"f_bits", &f.f_bits}, {"f_frac", &f.f_frac}, {"e_frac", &f.e_frac},
      {"w_frac", &f.w_frac}};
  const std::pair<const char*, std::vector<int>*> lists[] = {
      {"weight_frac", &f.weight_frac}, {"act_frac", &f.act_frac}, {"grad_frac", &f.grad_frac}};
  for (const auto& [key, field] : scalars) *field = small(data.at(key), key);
  for (const auto& [key, field] : lists) *field = small_list(data.at(key), key);
  require(data.size() == std::size(scalars) + std::size(lists), "formats: a field of another version of nvnmd");
  return f;
}

// Takes tensors out of a file one by one, so that what is left over can be refused.
class Tensors {
 public:
  explicit Tensors(const TensorFile& file) : left_(file.tensors) {}

  bool has(const std::string& name) const { return left_.contains(name); }

  // Copies tensor `name`; negative extents in `shape` match anything and are filled in.
  template <class Word>
  std::vector<Word> take(const std::string& name, std::vector<std::int64_t*> shape) {
    const auto found = left_.find(name);
    require(found != left_.end(), text("tensor ", name, " is missing"));
    const TensorView tensor = found->second;
    left_.erase(found);
    require(tensor.dtype == text("I", 8 * sizeof(Word)), text("tensor ", name, " holds words of type ", tensor.dtype));
    require(tensor.shape.size() == shape.size(), text("tensor ", name, " has a wrong number of dimensions"));
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if (*shape[axis] < 0) *shape[axis] = tensor.shape[axis];
      require(*shape[axis] == tensor.shape[axis], text("tensor ", name, " has a wrong shape"));
    }
    std::vector<Word> words(tensor.bytes / sizeof(Word));
    if (tensor.bytes > 0) std::memcpy(words.data(), tensor.data, tensor.bytes);
    return words;
  }

  void require_all_taken() const {
    if (!left_.empty()) throw std::runtime_error("unknown tensor " + left_.begin()->first);
  }

 private:
  std::map<std::string, TensorView> left_;
};

void parse_header(Model& m, const Json& header) {
  require(header.is_object() && header.value("format", "") == "nvnmd", "a safetensors file, but not an nvnmd model; 'nvnmd quantize' writes one");
  require(header.at("version") == kVersion,
          text("model file version ", header.at("version"), "; this release reads version ", kVersion, ". Update nvnmd"));
  m.type_map = header.at("type_map").get<std::vector<std::string>>();
  const auto types = m.type_map.size();
  require(types >= 1 && types <= 128, "type_map must name 1 to 128 elements");
  require(std::set<std::string>(m.type_map.begin(), m.type_map.end()).size() == types, "type_map names an element twice");
  require(header.at("rcut_A").is_number(), "rcut_A must be a number");
  m.rcut = header.at("rcut_A").get<double>();
  m.u_cut = static_cast<std::int32_t>(integer(header.at("u_cut"), "u_cut", 1, 1 << 24));
  m.u_min = static_cast<std::int32_t>(integer(header.at("u_min"), "u_min", 1, 1 << 24));
  m.m2 = static_cast<int>(integer(header.at("m2"), "m2", 1, 256));
  m.max_neighbors = static_cast<int>(integer(header.at("max_neighbors"), "max_neighbors", 1, 1024));
  const auto skip = header.at("skip").get<std::vector<bool>>();
  require(!skip.empty() && skip.size() <= 16, "skip must list 1 to 16 layers");
  for (const bool value : skip) m.layers.emplace_back().skip = value;
  m.formats = parse_formats(header.at("formats"));
}

void parse_tables(Model& m, Tensors& tensors) {
  std::int64_t types = m.types(), three = 3, two = 2, channels = -1, segments = -1, guard_segments = -1;
  std::int64_t feature_tables = -1, scalar_tables = -1, guard_tables = -1, tanh_segments = -1;
  m.feature_coef = tensors.take<std::int16_t>("feature.coef", {&feature_tables, &segments, &three, &channels});
  m.scalar_coef = tensors.take<std::int32_t>("scalar.coef", {&scalar_tables, &segments, &two, &three});
  m.guard_coef = tensors.take<std::int32_t>("guard.coef", {&guard_tables, &guard_segments, &three});
  m.tanh_coef = tensors.take<std::int16_t>("tanh.coef", {&tanh_segments, &three});
  m.feature_table = tensors.take<std::int32_t>("feature.table", {&types, &types});
  m.scalar_table = tensors.take<std::int32_t>("scalar.table", {&types, &types});
  m.guard_table = tensors.take<std::int32_t>("guard.table", {&types, &types});
  if (tensors.has("gate")) m.gate = tensors.take<std::int16_t>("gate", {&types, &types, &channels});
  require(channels >= 1 && channels <= 256, "feature.coef must have 1 to 256 channels");
  require(segments >= 1 && segments <= 512 && guard_segments <= segments, "a table has a wrong number of segments");
  m.m1 = static_cast<int>(channels);
  m.n_seg = static_cast<int>(segments);
  m.n_guard = static_cast<int>(guard_segments);
  require_table_indices(m, feature_tables, scalar_tables, guard_segments > 0 ? guard_tables : 1);
}

void parse_network(Model& m, Tensors& tensors) {
  std::int64_t types = m.types(), inputs = std::int64_t{m.m1} * m.m2;
  for (std::size_t l = 0; l < m.layers.size(); ++l) {
    FittingLayer& layer = m.layers[l];
    std::int64_t outputs = -1;
    const std::string number = std::to_string(l + 1);
    layer.weight = tensors.take<std::int16_t>("fit.weight." + number, {&types, &outputs, &inputs});
    layer.bias = tensors.take<std::int32_t>("fit.bias." + number, {&types, &outputs});
    require(outputs >= 1 && outputs <= 65536, text("layer ", number, " must have 1 to 65536 outputs"));
    require(!layer.skip || (l > 0 && outputs == inputs), text("layer ", number, " cannot have a skip connection"));
    layer.inputs = static_cast<int>(inputs);
    layer.outputs = static_cast<int>(outputs);
    inputs = outputs;
  }
  m.out_weight = tensors.take<std::int16_t>("fit.out.weight", {&types, &inputs});
  m.out_bias = tensors.take<std::int32_t>("fit.out.bias", {&types});
  m.energy_bias = tensors.take<std::int64_t>("energy_bias", {&types});
}

std::string metadata(const TensorFile& file) {
  const auto found = file.metadata.find("nvnmd");
  require(found != file.metadata.end(), "a safetensors file, but not an nvnmd model; 'nvnmd quantize' writes one");
  return found->second;
}

Model build(const TensorFile& file) {
  Model m;
  m.header = metadata(file);
  parse_header(m, Json::parse(m.header, keep_needed));
  require_formats(m);
  m.shifts = Shifts(m.formats);
  Tensors tensors(file);
  parse_tables(m, tensors);
  parse_network(m, tensors);
  tensors.require_all_taken();
  require_guarantees(m);
  return m;
}

}  // namespace

std::shared_ptr<const Model> Model::load(const std::filesystem::path& path) { return parse(read_bytes(path), path.string()); }

std::shared_ptr<const Model> Model::parse(std::vector<char> content, const std::string& name) {
  const TensorFile file = parse_tensor_file(std::move(content), name);
  try {
    return std::make_shared<const Model>(build(file));
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::model_file, text(name, ": the header is damaged (", printable(error.what()), "); copy or build the file again"));
  } catch (const std::exception& error) {
    throw Error(ErrorCode::model_file, text(name, ": ", printable(error.what())));
  }
}

int Model::type_of(const std::string& symbol) const {
  std::string known;
  for (std::size_t type = 0; type < type_map.size(); ++type) {
    if (type_map[type] == symbol) return static_cast<int>(type);
    if (type > 0) known += ", ";
    known += type_map[type];
  }
  throw Error(ErrorCode::type_map, text("the model has no element ", symbol, "; it knows ", known));
}

}  // namespace nvnmd
