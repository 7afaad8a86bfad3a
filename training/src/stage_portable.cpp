#define NVNMD_GROUP 1  // rows whose sums stay in registers
#include "stage_impl.hpp"

namespace nvnmd::training {

const Stage& stage_portable() {
  static constexpr Stage kStage = make_stage("portable");
  return kStage;
}

}  // namespace nvnmd::training
