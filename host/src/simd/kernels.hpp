// The vector kernels, one translation unit per instruction set. Call them only on a CPU that has it; `portable` takes the batches that a
// vector kernel cannot prove free of clipped words.
#pragma once

#include <memory>

#include "../kernel.hpp"
#include "layout.hpp"

namespace nvnmd::simd {

std::unique_ptr<const Kernel> make_avx512vnni(std::unique_ptr<const Layout> layout, std::unique_ptr<const Kernel> portable);
std::unique_ptr<const Kernel> make_avx512(std::unique_ptr<const Layout> layout, std::unique_ptr<const Kernel> portable);
std::unique_ptr<const Kernel> make_avx2(std::unique_ptr<const Layout> layout, std::unique_ptr<const Kernel> portable);

}  // namespace nvnmd::simd
