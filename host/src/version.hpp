// The version of the runtime, for messages and for the Python module.
#pragma once

namespace nvnmd {

// Version of the distribution this library was built from, for example "0.1.0". Static storage.
const char* version() noexcept;

}  // namespace nvnmd
