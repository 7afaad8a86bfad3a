#define NVNMD_GROUP 8  // rows whose sums stay in registers
#include "stage_impl.hpp"

namespace nvnmd::training {

const Stage& stage_avx512() {
  static constexpr Stage kStage = make_stage("avx512");
  return kStage;
}

}  // namespace nvnmd::training
