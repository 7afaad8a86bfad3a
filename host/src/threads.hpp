// How many threads a backend uses.
#pragma once

namespace nvnmd {

// `threads`, or for 0 OMP_NUM_THREADS, or all cores when it is not set. Throws Error (ErrorCode::backend) outside 0 ... 1024.
int usable_threads(int threads);

}  // namespace nvnmd
