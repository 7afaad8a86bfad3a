// The one error type of the runtime.
#pragma once

#include <stdexcept>
#include <string>

namespace nvnmd {

enum class ErrorCode {
  model_file,          // missing, damaged, of another version, or breaking a guarantee
  type_map,            // an element or type that the model does not know
  too_many_neighbors,  // atom() has more neighbors than the model holds
  too_close,           // atom() and neighbor() are closer than the tables start
  out_of_range,        // an argument or a position that is not a usable number
  backend,             // unknown or unusable backend or kernel
  device,              // a card that does not answer, or answers wrongly
  active_set,          // missing, damaged, or made for another model
};

// One sentence that says what was wrong, where, and what to try.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message, int atom = -1, int neighbor = -1)
      : std::runtime_error(message), code_(code), atom_(atom), neighbor_(neighbor) {}

  ErrorCode code() const noexcept { return code_; }
  // Indices into the caller's arrays of atoms; -1 when the error is not about an atom.
  int atom() const noexcept { return atom_; }
  int neighbor() const noexcept { return neighbor_; }

 private:
  ErrorCode code_;
  int atom_;
  int neighbor_;
};

}  // namespace nvnmd
