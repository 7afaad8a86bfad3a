// Messages from parts.
#pragma once

#include <sstream>
#include <string>

namespace nvnmd {

// The parts, written one after another.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream stream;
  (stream << ... << parts);
  return stream.str();
}

}  // namespace nvnmd
