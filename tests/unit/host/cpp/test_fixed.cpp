#include <cmath>
#include <limits>

#include <catch2/catch.hpp>

#include "fixed.hpp"

using nvnmd::limit;
using nvnmd::rnd;

TEST_CASE("rnd rounds halves up, for either sign") {
  for (int shift = 1; shift <= 12; ++shift) {
    for (std::int64_t value = -5000; value <= 5000; ++value) {
      const double exact = std::floor(std::ldexp(static_cast<double>(value), -shift) + 0.5);
      REQUIRE(rnd(value, shift) == static_cast<std::int64_t>(exact));
    }
  }
  CHECK(rnd(-3, 0) == -3);
}

TEST_CASE("rnd has no overflow at the ends of 64 bits") {
  constexpr auto most = std::numeric_limits<std::int64_t>::max(), least = std::numeric_limits<std::int64_t>::min();
  CHECK(rnd(most, 1) == std::int64_t{1} << 62);
  CHECK(rnd(least, 1) == -(std::int64_t{1} << 62));
  CHECK(rnd(most, 62) == 2);
  CHECK(rnd(least, 62) == -2);
}

TEST_CASE("saturation is symmetric and counts the words that it changes") {
  std::int64_t clipped = 0;
  const std::int64_t top = limit(16);
  CHECK(top == 32767);
  CHECK(nvnmd::sat(32767, top, clipped) == 32767);
  CHECK(nvnmd::sat(-32767, top, clipped) == -32767);
  CHECK(clipped == 0);
  CHECK(nvnmd::sat(32768, top, clipped) == 32767);
  CHECK(nvnmd::sat(-32768, top, clipped) == -32767);
  CHECK(clipped == 2);
}
