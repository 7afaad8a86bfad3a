// The C simulation of an HLS project as a backend (docs/hls.md): bits, not speed.
#pragma once

#include <memory>
#include <string>

#include "backend.hpp"
#include "model.hpp"

namespace nvnmd {

// Runs the compiled simulation in the folder of a project, with the model the project was written for. Throws Error
// (ErrorCode::backend) when there is no such simulation, and when it computes something else than the CPU does with `model`.
std::unique_ptr<Backend> make_hls_backend(std::shared_ptr<const Model> model, const std::string& project);

}  // namespace nvnmd
