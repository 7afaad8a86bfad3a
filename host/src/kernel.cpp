#include "kernel.hpp"

#include <utility>

#include "error.hpp"
#include "kernel_portable.hpp"
#include "text.hpp"

#ifdef __x86_64__
#include "simd/kernels.hpp"
#include "simd/layout.hpp"
#endif

namespace nvnmd {
namespace {

using ModelPointer = std::shared_ptr<const Model>;
using KernelPointer = std::unique_ptr<const Kernel>;

struct Entry {
  const char* name;
  bool (*runs_here)();
  KernelPointer (*make)(ModelPointer);  // null when the kernel does not cover the model
};

#ifdef __x86_64__
template <KernelPointer (*make)(std::unique_ptr<const simd::Layout>, KernelPointer)>
KernelPointer vectorized(ModelPointer model) {
  return simd::Layout::covers(*model) ? make(std::make_unique<simd::Layout>(model), make_portable_kernel(model)) : nullptr;
}

bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
}
#endif

// Fastest first.
constexpr Entry kKernels[] = {
#ifdef __x86_64__
    {"avx512vnni", [] { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }, vectorized<simd::make_avx512vnni>},
    {"avx512", has_avx512, vectorized<simd::make_avx512>},
    {"avx2", [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }, vectorized<simd::make_avx2>},
#endif
    {"portable", [] { return true; }, make_portable_kernel},
};

}  // namespace

std::vector<std::string> kernel_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kKernels) {
    if (entry.runs_here()) names.emplace_back(entry.name);
  }
  return names;
}

KernelPointer make_kernel(ModelPointer model, std::string_view name) {
  for (const Entry& entry : kKernels) {
    if ((name != "auto" && name != entry.name) || !entry.runs_here()) continue;
    if (KernelPointer kernel = entry.make(model)) return kernel;
    if (name == entry.name) {
      throw Error(ErrorCode::backend, text("kernel '", name, "' does not cover this model's sizes (M2 of 2 or 4, M1 up to 64, layers up to 512); "
                                           "use kernel 'auto' or 'portable'"));
    }
  }
  std::string known = "auto";
  for (const std::string& usable : kernel_names()) known.append(", ").append(usable);
  throw Error(ErrorCode::backend, text("kernel '", name, "' is unknown or needs instructions that this CPU lacks; use one of ", known));
}

}  // namespace nvnmd
