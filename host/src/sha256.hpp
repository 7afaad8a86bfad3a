// SHA-256 (FIPS 180-4), to tell whether two files have the same content.
#pragma once

#include <span>
#include <string>

namespace nvnmd {

// The hash of `bytes` as 64 lower-case hexadecimal digits.
std::string sha256(std::span<const char> bytes);

}  // namespace nvnmd
