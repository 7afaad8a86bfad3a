// E_i: the network's energy, the energy of the atom's type and the guard (docs/numerics.md, section 6).
#ifndef NVNMD_ENERGY_H_
#define NVNMD_ENERGY_H_

#include "nvnmd_words.h"

namespace nnet {

// Rows: energy of every type. Constants: shift of the sum.
template <class CONFIG_T, class data_T, class guard_T, class res_T, class row_T, class constant_T>
void energy(hls::stream<data_T> &sums, hls::stream<guard_T> &guard, hls::stream<res_T> &res, row_T rows[CONFIG_T::n_rows],
            constant_T constants[CONFIG_T::n_constants]) {
    const data_T sum = sums.read();
    const unsigned type = words::get_count(sum[1 + words::ATOM_TYPE]);
    const ap_int<42> network = words::raw(sum[0]);
    ap_int<64> total = words::rnd(network, unsigned(constants[0][0])) + words::raw(rows[type][0]);
    for (unsigned n = 0; n < CONFIG_T::n_neighbors; n++) {
        #pragma HLS PIPELINE II=1
        const guard_T repulsion = guard.read();
        total += repulsion[0];
    }
    res_T result;
    result[0] = words::from_raw<typename res_T::value_type>(total);
    res.write(result);
}

} // namespace nnet

#endif
