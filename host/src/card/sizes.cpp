#include "card/sizes.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "card/device_error.hpp"
#include "text.hpp"

namespace nvnmd::card {
namespace {

struct Field {
  std::string_view name;
  std::uint32_t Sizes::*value;
  bool exact;  // built for this size and no other
};

constexpr std::array kFields = {
    Field{"m1", &Sizes::m1, true},
    Field{"m2", &Sizes::m2, true},
    Field{"layers", &Sizes::layers, true},
    Field{"width", &Sizes::width, true},
    Field{"skip", &Sizes::skip, true},
    Field{"seg_bits", &Sizes::seg_bits, true},
    Field{"segments", &Sizes::segments, false},
    Field{"feature_tables", &Sizes::feature_tables, false},
    Field{"scalar_tables", &Sizes::scalar_tables, false},
    Field{"guard_tables", &Sizes::guard_tables, false},
    Field{"guard_segments", &Sizes::guard_segments, false},
    Field{"gates", &Sizes::gates, false},
};

[[noreturn]] void refuse(const std::string& what) { throw DeviceError(Fault::unusable, what); }

// The RTL's pipeline has one width for all hidden layers, and words of these widths (docs/hardware.md).
void require_shape(const Model& model) {
  const NumberFormats& f = model.formats;
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    if (model.layers[l].outputs != model.layers[0].outputs) refuse("a card needs hidden layers of one width; this model cannot run on one");
    const bool skip = l > 0 && model.layers[1].skip;
    if (model.layers[l].skip != skip) refuse("a card needs a skip connection on all hidden layers behind the first, or on none");
  }
  const std::array<std::pair<int, int>, 6> widths = {{{f.x_bits, 15}, {f.a_bits, 18}, {f.b_bits, 18}, {f.v_bits, 18}, {f.p_bits, 27}, {f.f_bits, 32}}};
  if (f.dx_bits > 18 || !std::all_of(widths.begin(), widths.end(), [](const auto& pair) { return pair.first == pair.second; })) {
    refuse("the number formats of this model are not those of a card (docs/hardware.md); quantize it with the default formats");
  }
}

}  // namespace

Sizes Sizes::read(const std::function<std::uint32_t(std::uint32_t)>& register_word) {
  if (const std::uint32_t magic = register_word(kRegMagic); magic != kMagicRegister) {
    refuse(text("no accelerator answers: register 0 reads ", std::hex, magic, " instead of 444d564e; is the bitstream loaded?"));
  }
  if (const std::uint32_t version = register_word(kRegVersion); version != kVersion) {
    refuse(text("the card speaks version ", version, " of the stream protocol, this program version ", kVersion));
  }
  Sizes sizes;
  sizes.identity = register_word(kRegIdentity);
  sizes.types = register_word(kRegTypes);
  sizes.max_body = register_word(kRegMaxBody);
  std::uint32_t number = kRegSizes;
  for (const Field& field : kFields) sizes.*field.value = register_word(number++);
  sizes.fitting_lanes = register_word(number);
  const auto sane = [](std::uint32_t value, std::uint32_t most) { return value >= 1 && value <= most; };
  if (!sane(sizes.types, 31) || !sane(sizes.max_body, 0xFFFF) || sizes.max_body < 5 || !sane(sizes.segments, 0xFFFF) ||
      !sane(sizes.guard_segments, 0xFFFF) || !sane(sizes.fitting_lanes, 255)) {
    refuse("the registers of the card hold no usable sizes; is the bitstream one of this version?");
  }
  return sizes;
}

std::vector<std::uint32_t> Sizes::registers() const {
  std::vector<std::uint32_t> words(kRegisters);
  words[kRegMagic] = kMagicRegister;
  words[kRegVersion] = kVersion;
  words[kRegIdentity] = identity;
  words[kRegLanes] = 1;
  words[kRegTypes] = types;
  words[kRegMaxBody] = max_body;
  std::size_t number = kRegSizes;
  for (const Field& field : kFields) words[number++] = this->*field.value;
  words[number] = fitting_lanes;
  return words;
}

Sizes Sizes::of(const Model& model, std::uint32_t fitting_lanes) {
  require_shape(model);
  const auto count = [](std::int64_t value) { return static_cast<std::uint32_t>(value); };
  const auto tables = [&](const auto& coef, std::int64_t table) { return count(table > 0 ? static_cast<std::int64_t>(coef.size()) / table : 0); };
  Sizes s;
  s.types = count(model.types());
  s.max_body = std::max(count(model.max_neighbors), 16u);
  s.m1 = count(model.m1);
  s.m2 = count(model.m2);
  s.layers = count(static_cast<std::int64_t>(model.layers.size()));
  s.width = count(model.layers.front().outputs);
  s.skip = model.layers.back().skip;
  s.seg_bits = count(model.formats.tanh_seg_bits);
  s.segments = count(model.n_seg);
  s.feature_tables = tables(model.feature_coef, std::int64_t{3} * model.n_seg * model.m1);
  s.scalar_tables = tables(model.scalar_coef, std::int64_t{6} * model.n_seg);
  s.guard_tables = std::max(1u, tables(model.guard_coef, std::int64_t{3} * model.n_guard));
  s.guard_segments = std::max(1u, count(model.n_guard));
  s.gates = model.gated();
  s.fitting_lanes = fitting_lanes;
  return s;
}

void Sizes::check(const Model& model) const {
  const Sizes needs = of(model, fitting_lanes);
  if (needs.types > types) refuse(text("the card holds ", types, " types, the model has ", needs.types));
  if (static_cast<std::uint32_t>(model.max_neighbors) > max_body) {
    refuse(text("the card holds ", max_body, " neighbors of an atom, the model up to ", model.max_neighbors));
  }
  for (const Field& field : kFields) {
    const std::uint32_t built = this->*field.value, wanted = needs.*field.value;
    if (field.exact ? wanted != built : wanted > built) {
      refuse(text("the card is built for ", field.name, " = ", built, ", the model has ", wanted, "; nvnmd compile says what a build for it costs"));
    }
  }
}

}  // namespace nvnmd::card
