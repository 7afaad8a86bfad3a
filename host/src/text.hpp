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

// What a parser says of foreign bytes, cut and made printable.
inline std::string printable(std::string message, std::size_t most = 160) {
  if (message.size() > most) message = message.substr(0, most) + " ...";
  for (char& letter : message) {
    if (letter < ' ' || letter > '~') letter = '?';
  }
  return message;
}

}  // namespace nvnmd
