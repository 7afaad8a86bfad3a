#include "kernel_portable.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "fixed.hpp"

// The sections of docs/numerics.md in their order, over one batch: pair words, descriptor, fitting network forward and backward,
// forces. Loops over channels and inputs are innermost and on 16-bit words, so that compilers turn them into vector code.
namespace nvnmd {
namespace {

constexpr int kBatchAtoms = 32, kTile = 4;
static_assert(kBatchAtoms % kTile == 0);
constexpr std::int64_t kWord16 = 32767;

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

struct Wide {
  std::int64_t value, slope;
};

Wide wide(const std::int32_t* coef, std::int64_t t, int shift) {
  const std::int64_t q = rnd(t * coef[2], 15), d = coef[1] + q;
  return {coef[0] + rnd(t * d, 15 + shift), d + q};
}

std::int32_t dot(const std::int16_t* a, const std::int16_t* b, int n) {
  std::int32_t sum = 0;
  for (int i = 0; i < n; ++i) sum += std::int32_t{a[i]} * b[i];
  return sum;
}

std::int64_t wide_dot(const std::int16_t* a, const std::int16_t* b, int n) {
  std::int64_t sum = 0;
  for (int i = 0; i < n; ++i) sum += std::int32_t{a[i]} * b[i];
  return sum;
}

// product[atom, row] = weight[row] . input[atom] for a whole number of kTile atoms, at least `atoms`. Rows are the outer loop, so
// that a row is read once for all atoms; the sums fit 32 bits, a guarantee of the loader.
void multiply(const std::int16_t* weight, int rows, int columns, const std::int16_t* input, int atoms, std::int32_t* product) {
  for (int row = 0; row < rows; ++row) {
    const std::int16_t* w = weight + std::int64_t{row} * columns;
    for (int atom = 0; atom < atoms; atom += kTile) {
      const std::int16_t *a = input + std::int64_t{atom} * columns, *b = a + columns, *c = b + columns, *d = c + columns;
      std::int32_t sum[kTile] = {0, 0, 0, 0};
      for (int i = 0; i < columns; ++i) {
        sum[0] += w[i] * a[i];
        sum[1] += w[i] * b[i];
        sum[2] += w[i] * c[i];
        sum[3] += w[i] * d[i];
      }
      for (int k = 0; k < kTile; ++k) product[std::int64_t{atom + k} * rows + row] = sum[k];
    }
  }
}

struct PortableWorkspace final : Workspace {
  PortableWorkspace(const Model& model) {
    const std::size_t pairs = index(std::int64_t{kBatchAtoms} * model.max_neighbors), channels = index(model.m1);
    for (auto* array : {&sp, &h, &hp, &guard_slope}) array->resize(pairs);
    env.resize(4 * pairs);
    g.resize(pairs * channels);
    gp.resize(pairs * channels);
    x.resize(index(kBatchAtoms) * 4 * channels);
    std::size_t widest = channels * index(model.m2);
    act.emplace_back(kBatchAtoms * widest);
    for (const FittingLayer& layer : model.layers) {
      const std::size_t width = index(layer.outputs);
      widest = std::max(widest, width);
      act.emplace_back(kBatchAtoms * width);
      phi.emplace_back(kBatchAtoms * width);
    }
    grad.resize(kBatchAtoms * widest);
    gz.resize(kBatchAtoms * widest);
    product.resize(kBatchAtoms * widest);
    y.resize(4 * channels);
    sum.resize(4 * channels);
  }

  std::vector<std::int32_t> sp, h, hp, guard_slope;  // per pair
  std::vector<std::int16_t> env;                     // [pairs, 4]
  std::vector<std::int16_t> g, gp;                   // [pairs, M1]
  std::vector<std::int16_t> x;                       // [atoms, 4, M1]
  std::vector<std::vector<std::int16_t>> act, phi;   // per layer [atoms, width]; act[0] is D
  std::vector<std::int16_t> grad, gz;                // [atoms, width] of the layer in work
  std::vector<std::int32_t> product;                 // [atoms, width]
  std::vector<std::int16_t> y;                       // [4, M1] of the atom in work
  std::vector<std::int64_t> sum;                     // [4, M1]
};

class PortableKernel final : public Kernel {
 public:
  explicit PortableKernel(std::shared_ptr<const Model> model);
  std::string_view name() const override { return "portable"; }
  int batch_atoms() const override { return kBatchAtoms; }
  std::unique_ptr<Workspace> make_workspace() const override { return std::make_unique<PortableWorkspace>(m_); }
  void run(const AtomBatch& batch, BatchResult& result, Workspace& workspace) const override;

 private:
  using Work = PortableWorkspace;
  void pair_words(const AtomBatch& batch, BatchResult& result, Work& work, int atom) const;
  void features(const AtomBatch& batch, Work& work, int atom) const;
  void descriptor(const AtomBatch& batch, BatchResult& result, Work& work, int atom) const;
  void forward(std::size_t layer, int type, int atoms, Work& work, Counters& counters) const;
  void output(int type, int atoms, Work& work, BatchResult& result) const;
  void backward(std::size_t layer, int type, int atoms, Work& work, Counters& counters) const;
  void descriptor_gradient(Work& work, int atom, Counters& counters) const;
  void forces(const AtomBatch& batch, BatchResult& result, Work& work, int atom) const;

  std::shared_ptr<const Model> model_;
  const Model& m_;
  std::vector<std::vector<std::int16_t>> transposed_;  // per layer [types, inputs, outputs]
};

PortableKernel::PortableKernel(std::shared_ptr<const Model> model) : model_(std::move(model)), m_(*model_) {
  for (const FittingLayer& layer : m_.layers) {
    std::vector<std::int16_t>& transposed = transposed_.emplace_back(layer.weight.size());
    const std::size_t rows = index(layer.outputs), columns = index(layer.inputs);
    for (std::size_t i = 0; i < layer.weight.size(); ++i) {
      const std::size_t type = i / (rows * columns), row = i / columns % rows, column = i % columns;
      transposed[(type * columns + column) * rows + row] = layer.weight[i];
    }
  }
}

void PortableKernel::run(const AtomBatch& batch, BatchResult& result, Workspace& workspace) const {
  auto& work = static_cast<PortableWorkspace&>(workspace);
  result.counters = {};
  for (int atom = 0; atom < batch.size; ++atom) {
    pair_words(batch, result, work, atom);
    features(batch, work, atom);
    descriptor(batch, result, work, atom);
  }
  const int type = batch.center_type;
  for (std::size_t layer = 0; layer < m_.layers.size(); ++layer) forward(layer, type, batch.size, work, result.counters);
  output(type, batch.size, work, result);
  for (std::size_t layer = m_.layers.size(); layer-- > 0;) backward(layer, type, batch.size, work, result.counters);
  for (int atom = 0; atom < batch.size; ++atom) {
    descriptor_gradient(work, atom, result.counters);
    forces(batch, result, work, atom);
  }
}

// Section 4 without the features; the guard's energy starts the energy of the atom.
void PortableKernel::pair_words(const AtomBatch& batch, BatchResult& result, Work& work, int atom) const {
  const Shifts& shift = m_.shifts;
  std::int64_t guard_energy = 0;
  std::int64_t& clipped = result.counters.clipped[kR];
  for (std::size_t p = index(batch.first[index(atom)]); p < index(batch.first[index(atom) + 1]); ++p) {
    const std::int32_t v = std::max(batch.u[p], m_.u_min), seg = v >> 15, t = v & 32767;
    result.counters.too_close += batch.u[p] < m_.u_min;
    const std::size_t pair = index(batch.center_type * m_.types() + batch.type[p]);
    const std::int32_t* coef = &m_.scalar_coef[index(std::int64_t{m_.scalar_table[pair]} * m_.n_seg + seg) * 6];
    const Wide s = wide(coef, t, shift.s), h = wide(coef + 3, t, shift.h);
    work.sp[p] = static_cast<std::int32_t>(s.slope);
    work.h[p] = static_cast<std::int32_t>(h.value);
    work.hp[p] = static_cast<std::int32_t>(h.slope);
    const std::int32_t x[3] = {batch.x[p], batch.y[p], batch.z[p]};
    work.env[4 * p] = static_cast<std::int16_t>(sat(rnd(s.value, shift.r0), kWord16, clipped));
    for (std::size_t axis = 0; axis < 3; ++axis) {
      work.env[4 * p + 1 + axis] = static_cast<std::int16_t>(sat(rnd(h.value * x[axis], shift.r), kWord16, clipped));
    }
    work.guard_slope[p] = 0;
    if (seg < m_.n_guard) {
      const Wide guard = wide(&m_.guard_coef[index(std::int64_t{m_.guard_table[pair]} * m_.n_guard + seg) * 3], t, shift.guard);
      guard_energy += guard.value;
      work.guard_slope[p] = static_cast<std::int32_t>(guard.slope);
    }
  }
  result.energy[index(atom)] = guard_energy;
}

// G and its slope (sections 3 and 4). Every word fits 16 bits: a guarantee of the loader.
void PortableKernel::features(const AtomBatch& batch, Work& work, int atom) const {
  const std::size_t channels = index(m_.m1);
  const int shift = std::min(m_.shifts.feature, 15);  // t has 15 bits, so more shifts leave zero too
  for (std::size_t p = index(batch.first[index(atom)]); p < index(batch.first[index(atom) + 1]); ++p) {
    const std::int32_t v = std::max(batch.u[p], m_.u_min);
    const auto t = static_cast<std::int16_t>(v & 32767), t_short = static_cast<std::int16_t>(t >> shift);
    const std::size_t pair = index(batch.center_type * m_.types() + batch.type[p]);
    const std::int16_t* c0 = &m_.feature_coef[index(std::int64_t{m_.feature_table[pair]} * m_.n_seg + (v >> 15)) * 3 * channels];
    const std::int16_t *c1 = c0 + channels, *c2 = c1 + channels;
    std::int16_t *g = &work.g[p * channels], *gp = &work.gp[p * channels];
    for (std::size_t k = 0; k < channels; ++k) {
      const auto q = static_cast<std::int16_t>((t * c2[k] + 16384) >> 15);
      const auto d = static_cast<std::int16_t>(c1[k] + q);
      g[k] = static_cast<std::int16_t>(c0[k] + ((t_short * d + 16384) >> 15));
      gp[k] = static_cast<std::int16_t>(d + q);
    }
    if (!m_.gated()) continue;
    const std::int16_t* gate = &m_.gate[pair * channels];
    for (std::size_t k = 0; k < channels; ++k) {
      g[k] = static_cast<std::int16_t>((g[k] * gate[k] + 16384) >> 15);
      gp[k] = static_cast<std::int16_t>((gp[k] * gate[k] + 16384) >> 15);
    }
  }
}

// Section 5.
void PortableKernel::descriptor(const AtomBatch& batch, BatchResult& result, Work& work, int atom) const {
  const std::size_t channels = index(m_.m1), axes = index(m_.m2);
  std::fill(work.sum.begin(), work.sum.end(), 0);
  for (std::size_t p = index(batch.first[index(atom)]); p < index(batch.first[index(atom) + 1]); ++p) {
    const std::int16_t* g = &work.g[p * channels];
    for (std::size_t c = 0; c < 4; ++c) {
      const std::int32_t env = work.env[4 * p + c];
      std::int64_t* sum = &work.sum[c * channels];
      for (std::size_t k = 0; k < channels; ++k) sum[k] += env * g[k];
    }
  }
  std::int16_t* x = &work.x[index(atom) * 4 * channels];
  const std::int64_t top = limit(m_.formats.x_bits);
  for (std::size_t i = 0; i < 4 * channels; ++i) x[i] = static_cast<std::int16_t>(sat(rnd(work.sum[i], m_.shifts.x), top, result.counters.clipped[kX]));
  std::int16_t* d = &work.act[0][index(atom) * channels * axes];
  for (std::size_t k = 0; k < channels; ++k) {
    for (std::size_t m = 0; m < axes; ++m) {
      std::int32_t sum = 0;
      for (std::size_t c = 0; c < 4; ++c) sum += x[c * channels + k] * x[c * channels + m];
      d[k * axes + m] = static_cast<std::int16_t>(sat(rnd(sum, m_.shifts.d), kWord16, result.counters.clipped[kD]));
    }
  }
}

// One hidden layer of section 6.
void PortableKernel::forward(std::size_t layer, int type, int atoms, Work& work, Counters& counters) const {
  const FittingLayer& l = m_.layers[layer];
  const std::size_t inputs = index(l.inputs), outputs = index(l.outputs);
  const int seg_bits = m_.formats.tanh_seg_bits, shift = std::min(m_.shifts.tanh, 15);
  multiply(&l.weight[index(type) * outputs * inputs], l.outputs, l.inputs, work.act[layer].data(), atoms, work.product.data());
  const std::int32_t* bias = &l.bias[index(type) * outputs];
  for (std::size_t i = 0, row = 0; i < index(atoms) * outputs; ++i, row = row + 1 == outputs ? 0 : row + 1) {
    const auto zt = static_cast<std::int32_t>(clamp(rnd(std::int64_t{work.product[i]} + bias[row], m_.shifts.z[layer]), kWord16));
    const std::int32_t magnitude = std::abs(zt), t = (magnitude & ((1 << seg_bits) - 1)) << (15 - seg_bits);
    const std::int16_t* coef = &m_.tanh_coef[3 * index(magnitude >> seg_bits)];
    const std::int32_t q = (t * coef[2] + 16384) >> 15, d = coef[1] + q;
    const std::int32_t value = coef[0] + (((t >> shift) * d + 16384) >> 15);
    std::int64_t act = zt < 0 ? -value : value;
    if (l.skip) act = sat(work.act[layer][i] + act, kWord16, counters.clipped[kH]);
    work.act[layer + 1][i] = static_cast<std::int16_t>(act);
    work.phi[layer][i] = static_cast<std::int16_t>(d + q);
  }
}

// The output row: adds to the energies, and starts the gradient with the output weights.
void PortableKernel::output(int type, int atoms, Work& work, BatchResult& result) const {
  const int width = m_.layers.back().outputs;
  const std::int16_t* weight = &m_.out_weight[index(type) * index(width)];
  if (!result.hidden.empty()) std::copy_n(work.act.back().begin(), index(atoms) * index(width), result.hidden.begin());
  for (std::size_t atom = 0; atom < index(atoms); ++atom) {
    const std::int64_t net = dot(weight, &work.act.back()[atom * index(width)], width) + m_.out_bias[index(type)];
    result.energy[atom] += rnd(net, m_.shifts.e) + m_.energy_bias[index(type)];
    std::copy_n(weight, width, &work.grad[atom * index(width)]);
  }
}

// One hidden layer of section 7: from dE/dh of its output to that of its input.
void PortableKernel::backward(std::size_t layer, int type, int atoms, Work& work, Counters& counters) const {
  const FittingLayer& l = m_.layers[layer];
  const std::size_t inputs = index(l.inputs), outputs = index(l.outputs);
  for (std::size_t i = 0; i < index(atoms) * outputs; ++i) {
    work.gz[i] = static_cast<std::int16_t>((work.grad[i] * work.phi[layer][i] + 16384) >> 15);
  }
  multiply(&transposed_[layer][index(type) * inputs * outputs], l.inputs, l.outputs, work.gz.data(), atoms, work.product.data());
  for (std::size_t i = 0; i < index(atoms) * inputs; ++i) {
    const std::int64_t carried = l.skip ? std::int64_t{work.grad[i]} * (std::int64_t{1} << m_.formats.weight_frac[layer]) : 0;
    work.grad[i] = static_cast<std::int16_t>(sat(rnd(work.product[i] + carried, m_.shifts.g[layer]), kWord16, counters.clipped[kGrad]));
  }
}

// Y of section 7.
void PortableKernel::descriptor_gradient(Work& work, int atom, Counters& counters) const {
  const std::size_t channels = index(m_.m1), axes = index(m_.m2);
  const std::int16_t* grad = &work.grad[index(atom) * channels * axes];
  for (std::size_t c = 0; c < 4; ++c) {
    const std::int16_t* x = &work.x[(index(atom) * 4 + c) * channels];
    std::int64_t* sum = &work.sum[c * channels];
    for (std::size_t k = 0; k < channels; ++k) sum[k] = wide_dot(&grad[k * axes], x, m_.m2);
    for (std::size_t k = 0; k < channels; ++k) {
      for (std::size_t m = 0; m < axes; ++m) sum[m] += grad[k * axes + m] * x[k];
    }
  }
  for (std::size_t i = 0; i < 4 * channels; ++i) work.y[i] = static_cast<std::int16_t>(sat(rnd(work.sum[i], m_.shifts.y), kWord16, counters.clipped[kY]));
}

// Section 8.
void PortableKernel::forces(const AtomBatch& batch, BatchResult& result, Work& work, int atom) const {
  const Shifts& shift = m_.shifts;
  const NumberFormats& f = m_.formats;
  auto& clipped = result.counters.clipped;
  const std::size_t channels = index(m_.m1);
  for (std::size_t p = index(batch.first[index(atom)]); p < index(batch.first[index(atom) + 1]); ++p) {
    std::int64_t a[4], env_b = 0;
    for (std::size_t c = 0; c < 4; ++c) {
      const std::int16_t* y = &work.y[c * channels];
      a[c] = sat(rnd(wide_dot(y, &work.g[p * channels], m_.m1), shift.a), limit(f.a_bits), clipped[kA]);
      env_b += work.env[4 * p + c] * sat(rnd(wide_dot(y, &work.gp[p * channels], m_.m1), shift.b), limit(f.b_bits), clipped[kB]);
    }
    const std::int64_t x[3] = {batch.x[p], batch.y[p], batch.z[p]};
    const std::int64_t v = sat(rnd(a[1] * x[0] + a[2] * x[1] + a[3] * x[2], shift.v), limit(f.v_bits), clipped[kV]);
    const auto aligned = [](std::int64_t value, int bits) { return value * (std::int64_t{1} << bits); };
    const std::int64_t t = aligned(work.sp[p] * a[0], shift.t_align[0]) + aligned(work.hp[p] * v, shift.t_align[1]) + aligned(env_b, shift.t_align[2]);
    const std::int64_t slope = sat(rnd(t, shift.p) + work.guard_slope[p], limit(f.p_bits), clipped[kP]);
    std::int32_t* force[3] = {&result.fx[p], &result.fy[p], &result.fz[p]};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const std::int64_t sum = aligned(2 * x[axis] * slope, shift.f_align[0]) + aligned(a[axis + 1] * work.h[p], shift.f_align[1]);
      *force[axis] = static_cast<std::int32_t>(sat(rnd(sum, shift.f), limit(f.f_bits), clipped[kF]));
    }
  }
}

}  // namespace

std::unique_ptr<const Kernel> make_portable_kernel(std::shared_ptr<const Model> model) {
  return std::make_unique<PortableKernel>(std::move(model));
}

}  // namespace nvnmd
