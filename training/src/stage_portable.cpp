#define NVNMD_GROUP 1  // rows whose sums stay in registers
#include "fit_impl.hpp"
#include "soap_impl.hpp"
#include "stage_impl.hpp"

namespace nvnmd::training {

const Stage& stage_portable() {
  static constexpr Stage kStage = make_stage("portable");
  return kStage;
}

const FitKernels& fit_portable() {
  static constexpr FitKernels kKernels = make_fit();
  return kKernels;
}

const SoapKernels& soap_portable() {
  static constexpr SoapKernels kKernels = make_soap();
  return kKernels;
}

}  // namespace nvnmd::training
