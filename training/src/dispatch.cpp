#include "stage.hpp"

namespace nvnmd::training {

const Stage& stage() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return stage_avx512();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return stage_avx2();
#endif
  return stage_portable();
}

}  // namespace nvnmd::training
