#include "fit.hpp"
#include "soap.hpp"
#include "stage.hpp"

namespace nvnmd::training {
namespace {

enum class Level { portable, avx2, avx512 };

Level level() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return Level::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Level::avx2;
#endif
  return Level::portable;
}

// The function table of this processor's level.
template <class T>
const T& of_level(const T& (*portable)(), [[maybe_unused]] const T& (*avx2)(), [[maybe_unused]] const T& (*avx512)()) {
  switch (level()) {
    case Level::avx512: return avx512();
    case Level::avx2: return avx2();
    default: return portable();
  }
}

}  // namespace

#ifdef __x86_64__
const Stage& stage() { return of_level(stage_portable, stage_avx2, stage_avx512); }
const FitKernels& fit_kernels() { return of_level(fit_portable, fit_avx2, fit_avx512); }
const SoapKernels& soap_kernels() { return of_level(soap_portable, soap_avx2, soap_avx512); }
#else
const Stage& stage() { return stage_portable(); }
const FitKernels& fit_kernels() { return fit_portable(); }
const SoapKernels& soap_kernels() { return soap_portable(); }
#endif

}  // namespace nvnmd::training
