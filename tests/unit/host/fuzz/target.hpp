// What is fuzzed, with the entry point of libFuzzer and AFL++, so that either can drive it.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Whether the last input was a model that the kernels then ran.
extern bool accepted;
