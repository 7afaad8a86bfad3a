#include "kernels.hpp"
#include "lanes_avx2.hpp"
#include "simd_kernel.hpp"

namespace nvnmd::simd {

std::unique_ptr<const Kernel> make_avx2(std::shared_ptr<const Model> model, std::unique_ptr<const Kernel> portable) {
  return make_simd_kernel<Avx2>(std::move(model), "avx2", std::move(portable));
}

}  // namespace nvnmd::simd
