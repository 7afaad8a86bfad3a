#include "kernel.hpp"

#include <utility>

#include "error.hpp"
#include "kernel_portable.hpp"
#include "text.hpp"

namespace nvnmd {
namespace {

struct Entry {
  const char* name;
  bool (*runs_here)();
  std::unique_ptr<const Kernel> (*make)(std::shared_ptr<const Model>);
};

// Fastest first.
constexpr Entry kKernels[] = {
    {"portable", [] { return true; }, make_portable_kernel},
};

}  // namespace

std::vector<std::string> kernel_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kKernels) {
    if (entry.runs_here()) names.emplace_back(entry.name);
  }
  return names;
}

std::unique_ptr<const Kernel> make_kernel(std::shared_ptr<const Model> model, std::string_view name) {
  for (const Entry& entry : kKernels) {
    if ((name == "auto" || name == entry.name) && entry.runs_here()) return entry.make(std::move(model));
  }
  std::string known = "auto";
  for (const std::string& usable : kernel_names()) known.append(", ").append(usable);
  throw Error(ErrorCode::backend, text("kernel '", name, "' is unknown or needs instructions that this CPU lacks; use one of ", known));
}

}  // namespace nvnmd
