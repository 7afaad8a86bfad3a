"""The runtime: model loader, bit-exact CPU kernels, device backends and the ASE calculator."""
