#pragma once
// The functions of Stage, compiled once per instruction set; NVNMD_GROUP is set by the including file.

#include <algorithm>

#include "dual_net.hpp"
#include "stage.hpp"

namespace nvnmd::training {
namespace {

// Calls block(first pair, pairs, rows, kind, place) for the neighbors of a center, in blocks of one net. `place` is the block's first
// row where every run of neighbors may have three more rows than pairs.
template <class F>
NVNMD_INLINE void for_blocks(const Pairs& pairs, int center, F&& block) {
  for (int type = 0; type < pairs.n_types; ++type) {
    const std::int64_t run = static_cast<std::int64_t>(center) * pairs.n_types + type;
    const int kind = pairs.types[center] * pairs.n_types + type;
    for (std::int64_t first = pairs.offsets[run]; first < pairs.offsets[run + 1]; first += kBlock) {
      const int count = static_cast<int>(std::min<std::int64_t>(kBlock, pairs.offsets[run + 1] - first));
      block(first, count, (count + 3) / 4 * 4, kind, static_cast<std::size_t>(first + 3 * run));
    }
  }
}

NVNMD_INLINE void load_inputs(const Pairs& pairs, std::int64_t first, int count, int rows, Work& work) {
  for (int p = 0; p < rows; ++p) {
    work.inputs[static_cast<std::size_t>(p)] = p < count ? pairs.geometry[(first + p) * kGeometry] : 0.0F;
  }
}

// Four rows of M1 numbers to rows of whole vectors, and back.
NVNMD_INLINE void spread(const float* from, int channels, int stride, float* to) {
  for (int c = 0; c < 4; ++c) std::copy_n(from + c * channels, channels, to + c * stride);
}

NVNMD_INLINE void gather(const float* from, int channels, int stride, float* to) {
  for (int c = 0; c < 4; ++c) std::copy_n(from + c * stride, channels, to + c * channels);
}

NVNMD_INLINE V gate_of(const Nets& nets, int kind, int v) {
  return nets.gate.empty() ? all(1.0F) : load(nets.gate.data() + kind * nets.stride() + v);
}

void channels(const Nets& nets, const Pairs& pairs, int begin, int end, Channels<float> out, float* saved, float* x) {
  Work work(nets);
  const int stride = nets.stride();
  const std::size_t size = nets.saved();
  for (int center = begin; center < end; ++center) {
    std::fill(work.x.begin(), work.x.end(), 0.0F);
    for_blocks(pairs, center, [&](std::int64_t first, int count, int rows, int kind, std::size_t place) {
      load_inputs(pairs, first, count, rows, work);
      net_forward(nets.nets[static_cast<std::size_t>(nets.net_of_kind[static_cast<std::size_t>(kind)])], rows, work, saved + place * size);
      const float* const g = work.outputs.back().data();
      for (int v = 0; v < stride; v += kLanes) {
        const V gate = gate_of(nets, kind, v);
        V acc[4];
        for (int c = 0; c < 4; ++c) acc[c] = load(work.x.data() + c * stride + v);
        for (int p = 0; p < count; ++p) {
          const V value = gate * load(g + p * stride + v);
          const float* const row = pairs.geometry + (first + p) * kGeometry;
          store(out.value + (first + p) * stride + v, value);
          store(out.derivative + (first + p) * stride + v, gate * load(g + (rows + p) * stride + v));
          for (int c = 0; c < 4; ++c) acc[c] += row[c] * value;
        }
        for (int c = 0; c < 4; ++c) store(work.x.data() + c * stride + v, acc[c]);
      }
    });
    gather(work.x.data(), nets.channels(), stride, x + static_cast<std::int64_t>(center) * 4 * nets.channels());
  }
}

// Turns the gradient of the gated channels in work.grad into that of the net's, adding the gate's own.
NVNMD_INLINE void gate_backward(const Nets& nets, int kind, int rows, Work& work, Gradients& into) {
  const int stride = nets.stride();
  const float* const g = work.outputs.back().data();
  for (int v = 0; v < stride; v += kLanes) {
    float* const sum_at = into.gate.data() + kind * stride + v;
    const V gate = gate_of(nets, kind, v);
    V total = load(sum_at);
    for (int r = 0; r < 2 * rows; ++r) {
      float* const at = work.grad.data() + r * stride + v;
      const V grad = load(at);
      total += grad * load(g + r * stride + v);
      store(at, gate * grad);
    }
    store(sum_at, total);
  }
}

// dL/df of one pair.
NVNMD_INLINE void pair_gradient(const Pairs& pairs, int center, std::int64_t p, const float* grad_forces,
                                const float* grad_virials, float* out) {
  const float* const row = pairs.geometry + p * kGeometry;
  for (int k = 0; k < 3; ++k) {
    out[k] = grad_forces[3 * center + k] - grad_forces[3 * pairs.neighbors[p] + k];
    if (grad_virials == nullptr) continue;
    const float* const w = grad_virials + 9 * pairs.frames[center];
    for (int j = 0; j < 3; ++j) out[k] -= row[10] * row[4 + j] * w[3 * j + k];
  }
}

// Gradients of a_c and, over R_c, of b_c of one pair; see pair_gradients in descriptor.py.
struct RowGradient {
  float a[4], radial;
};

NVNMD_INLINE RowGradient row_gradient(const Pairs& pairs, int center, std::int64_t p, const float* grad_forces, const float* grad_virials) {
  const float* const row = pairs.geometry + p * kGeometry;
  const float *const u = row + 4, *const slopes = row + 7;
  float f[3];
  pair_gradient(pairs, center, p, grad_forces, grad_virials, f);
  const float along = f[0] * u[0] + f[1] * u[1] + f[2] * u[2];
  const float radial = slopes[0] * along;
  RowGradient found{{radial}, radial};
  for (int k = 0; k < 3; ++k) found.a[k + 1] = slopes[2] * f[k] + slopes[1] * along * u[k];
  return found;
}

// The gradients of G and dG/d(input) of a block of pairs, to work.grad; work.x and work.table are those of X and dE/dX.
NVNMD_INLINE void channel_gradients(const Pairs& pairs, int center, std::int64_t first, int count, int rows, int stride,
                                    const float* grad_forces, const float* grad_virials, Work& work) {
  float* const grad = work.grad.data();
  for (int p = 0; p < count; ++p) {
    const float* const row = pairs.geometry + (first + p) * kGeometry;
    const RowGradient by = row_gradient(pairs, center, first + p, grad_forces, grad_virials);
    for (int v = 0; v < stride; v += kLanes) {
      V value = {}, derivative = {};
      for (int c = 0; c < 4; ++c) {
        const V table = load(work.table.data() + c * stride + v);
        value += row[c] * load(work.x.data() + c * stride + v) + by.a[c] * table;
        derivative += row[c] * table;
      }
      store(grad + p * stride + v, value);
      store(grad + (rows + p) * stride + v, by.radial * derivative);
    }
  }
  std::fill(grad + count * stride, grad + rows * stride, 0.0F);
  std::fill(grad + (rows + count) * stride, grad + 2 * rows * stride, 0.0F);
}

void channels_backward(const Nets& nets, const Pairs& pairs, int begin, int end, const float* saved, const float* grad_x,
                       const float* tables, const float* grad_forces, const float* grad_virials, Gradients& into) {
  Work work(nets);
  const int stride = nets.stride();
  const std::size_t size = nets.saved();
  for (int center = begin; center < end; ++center) {
    const std::int64_t at = static_cast<std::int64_t>(center) * 4 * nets.channels();
    spread(grad_x + at, nets.channels(), stride, work.x.data());
    spread(tables + at, nets.channels(), stride, work.table.data());
    for_blocks(pairs, center, [&](std::int64_t first, int count, int rows, int kind, std::size_t place) {
      const auto net = static_cast<std::size_t>(nets.net_of_kind[static_cast<std::size_t>(kind)]);
      const float* const here = saved + place * size;
      load_inputs(pairs, first, count, rows, work);
      net_outputs(nets.nets[net], rows, work, here, !nets.gate.empty());
      channel_gradients(pairs, center, first, count, rows, stride, grad_forces, grad_virials, work);
      if (!nets.gate.empty()) gate_backward(nets, kind, rows, work, into);
      net_backward(nets.nets[net], rows, work, here, into.nets[net]);
    });
  }
}

// Vector w = sum_c R_c T_c of one pair, for the derivative of G.
NVNMD_INLINE V along_row(const float* row, const float* table, int stride, int v) {
  V w = {};
  for (int c = 0; c < 4; ++c) w += row[c] * load(table + c * stride + v);
  return w;
}

void forces(const Nets& nets, const Pairs& pairs, int begin, int end, Channels<const float> g, const float* tables,
            float* to, float* virials) {
  Work work(nets);
  const int stride = nets.stride();
  float* const table = work.table.data();
  for (int center = begin; center < end; ++center) {
    spread(tables + static_cast<std::int64_t>(center) * 4 * nets.channels(), nets.channels(), stride, table);
    const std::int64_t run = static_cast<std::int64_t>(center) * pairs.n_types;
    for (std::int64_t p = pairs.offsets[run]; p < pairs.offsets[run + pairs.n_types]; ++p) {
      const float* const row = pairs.geometry + p * kGeometry;
      V sums[4] = {};  // a_0 + sum_c R_c b_c, a_1, a_2, a_3
      for (int v = 0; v < stride; v += kLanes) {
        const V value = load(g.value + p * stride + v);
        sums[0] += along_row(row, table, stride, v) * load(g.derivative + p * stride + v);
        for (int c = 0; c < 4; ++c) sums[c] += load(table + c * stride + v) * value;
      }
      const float a[3] = {sum(sums[1]), sum(sums[2]), sum(sums[3])};
      const float *const u = row + 4, *const slopes = row + 7;
      const float scale = slopes[0] * sum(sums[0]) + slopes[1] * (a[0] * u[0] + a[1] * u[1] + a[2] * u[2]);
      float* const here = to + 3 * static_cast<std::int64_t>(center);
      float* const there = to + 3 * static_cast<std::int64_t>(pairs.neighbors[p]);
      for (int k = 0; k < 3; ++k) {
        const float f = scale * u[k] + slopes[2] * a[k];
        here[k] += f;
        there[k] -= f;
        if (virials == nullptr) continue;
        for (int j = 0; j < 3; ++j) virials[9 * pairs.frames[center] + 3 * j + k] -= row[10] * u[j] * f;
      }
    }
  }
}

void forces_backward(const Nets& nets, const Pairs& pairs, int begin, int end, Channels<const float> g, const float* grad_forces,
                     const float* grad_virials, float* grad_tables) {
  Work work(nets);
  const int stride = nets.stride();
  float* const into = work.x.data();
  for (int center = begin; center < end; ++center) {
    std::fill(work.x.begin(), work.x.end(), 0.0F);
    const std::int64_t run = static_cast<std::int64_t>(center) * pairs.n_types;
    for (std::int64_t p = pairs.offsets[run]; p < pairs.offsets[run + pairs.n_types]; ++p) {
      const float* const row = pairs.geometry + p * kGeometry;
      const RowGradient by = row_gradient(pairs, center, p, grad_forces, grad_virials);
      for (int v = 0; v < stride; v += kLanes) {
        const V value = load(g.value + p * stride + v), derivative = by.radial * load(g.derivative + p * stride + v);
        for (int c = 0; c < 4; ++c) {
          float* const sum_at = into + c * stride + v;
          store(sum_at, load(sum_at) + by.a[c] * value + row[c] * derivative);
        }
      }
    }
    gather(into, nets.channels(), stride, grad_tables + static_cast<std::int64_t>(center) * 4 * nets.channels());
  }
}

constexpr Stage make_stage(const char* name) { return {name, channels, channels_backward, forces, forces_backward}; }

}  // namespace
}  // namespace nvnmd::training
