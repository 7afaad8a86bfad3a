// Random changes to a safetensors file that leave its frame standing, so that they reach beyond the first check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

using Random = std::mt19937_64;

// A number from 0 to most - 1; 0 when there is none.
std::size_t below(std::size_t most, Random& random);

// One to four changes: bits anywhere, numbers and pieces of the JSON header (its length is kept right), words of the tensors,
// the length of the file, pieces of another file.
std::string mutate(const std::string& file, const std::string& other, Random& random);
