#include "kernels.hpp"
#include "lanes_avx2.hpp"
#include "simd_kernel.hpp"

namespace nvnmd::simd {

std::unique_ptr<const Kernel> make_avx2(std::unique_ptr<const Layout> layout, std::unique_ptr<const Kernel> portable) {
  return make_simd_kernel<Avx2>("avx2", std::move(layout), std::move(portable));
}

}  // namespace nvnmd::simd
