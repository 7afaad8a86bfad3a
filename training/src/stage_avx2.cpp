#define NVNMD_GROUP 2  // rows whose sums stay in registers
#include "fit_impl.hpp"
#include "soap_impl.hpp"
#include "stage_impl.hpp"

namespace nvnmd::training {

const Stage& stage_avx2() {
  static constexpr Stage kStage = make_stage("avx2");
  return kStage;
}

const FitKernels& fit_avx2() {
  static constexpr FitKernels kKernels = make_fit();
  return kKernels;
}

const SoapKernels& soap_avx2() {
  static constexpr SoapKernels kKernels = make_soap();
  return kKernels;
}

}  // namespace nvnmd::training
