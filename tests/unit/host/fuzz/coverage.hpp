// Which places of the instrumented code an input has reached.
#pragma once

#include <cstddef>

namespace coverage {

// Before each input.
void begin();
// Whether the input reached a place, or reached one more often (in powers of two), than any before.
bool found_news();
std::size_t places();

}  // namespace coverage
