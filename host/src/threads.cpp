#include "threads.hpp"

#include <cstdlib>
#include <thread>

#include "error.hpp"
#include "text.hpp"

namespace nvnmd {

int usable_threads(int threads) {
  if (threads < 0 || threads > 1024) throw Error(ErrorCode::backend, text("threads must be 0 (all) to 1024, not ", threads));
  if (threads > 0) return threads;
  if (const char* wanted = std::getenv("OMP_NUM_THREADS")) {
    const int count = std::atoi(wanted);
    if (count > 0) return count;
  }
  const unsigned cores = std::thread::hardware_concurrency();
  return cores > 0 ? static_cast<int>(cores) : 1;
}

}  // namespace nvnmd
