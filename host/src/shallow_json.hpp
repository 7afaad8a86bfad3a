// Guard against JSON that is nested so deeply that parsing it fills the memory.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace nvnmd {

// Parser callback that keeps everything and refuses absurd depths.
inline bool keep_shallow(int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
  constexpr int deepest = 64;
  if (depth > deepest) throw std::out_of_range("the JSON is nested too deeply");
  return true;
}

}  // namespace nvnmd
