#define NVNMD_GROUP 2  // rows whose sums stay in registers
#include "stage_impl.hpp"

namespace nvnmd::training {

const Stage& stage_avx2() {
  static constexpr Stage kStage = make_stage("avx2");
  return kStage;
}

}  // namespace nvnmd::training
