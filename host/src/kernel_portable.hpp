// The kernel in plain C++, for every CPU.
#pragma once

#include <memory>

#include "kernel.hpp"

namespace nvnmd {

std::unique_ptr<const Kernel> make_portable_kernel(std::shared_ptr<const Model> model);

}  // namespace nvnmd
