#include "kernels.hpp"
#include "lanes_avx512.hpp"
#include "simd_kernel.hpp"

namespace nvnmd::simd {

std::unique_ptr<const Kernel> make_avx512(std::unique_ptr<const Layout> layout, std::unique_ptr<const Kernel> portable) {
  return make_simd_kernel<Avx512<false>>("avx512", std::move(layout), std::move(portable));
}

}  // namespace nvnmd::simd
