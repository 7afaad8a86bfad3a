#include <regex>
#include <string>

#include <catch2/catch.hpp>

#include "version.hpp"

TEST_CASE("the library knows the version it was built from") {
  CHECK(std::regex_match(nvnmd::version(), std::regex(R"(\d+\.\d+\.\d+)")));
}
