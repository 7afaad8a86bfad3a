// What is fuzzed, with the entry point of libFuzzer and AFL++, so that either can drive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Whether the last input was sound: a model that the kernels then ran, or packets that were answered.
extern bool accepted;

// Inputs to start from beside the files.
std::vector<std::string> own_inputs();
