#define NVNMD_GROUP 8  // rows whose sums stay in registers
#include "fit_impl.hpp"
#include "soap_impl.hpp"
#include "stage_impl.hpp"

namespace nvnmd::training {

const Stage& stage_avx512() {
  static constexpr Stage kStage = make_stage("avx512");
  return kStage;
}

const FitKernels& fit_avx512() {
  static constexpr FitKernels kKernels = make_fit();
  return kKernels;
}

const SoapKernels& soap_avx512() {
  static constexpr SoapKernels kKernels = make_soap();
  return kKernels;
}

}  // namespace nvnmd::training
