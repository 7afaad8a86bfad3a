// The only file that knows Python.
#include <nanobind/nanobind.h>

#include "version.hpp"

NB_MODULE(_core, m) {
  m.doc() = "Runtime of the integer model.";
  m.attr("__version__") = nvnmd::version();
}
