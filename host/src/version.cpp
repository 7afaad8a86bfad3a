#include "version.hpp"

namespace nvnmd {

const char* version() noexcept { return NVNMD_VERSION; }

}  // namespace nvnmd
