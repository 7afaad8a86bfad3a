// Feature table: G and G' of every neighbor, gated in the strip form (docs/numerics.md, section 4).
#ifndef NVNMD_FEATURE_H_
#define NVNMD_FEATURE_H_

#include "nvnmd_words.h"

namespace nnet {

// A row holds c0, c1, c2 of all channels; rows of gates stand behind those of the tables, one for every pair of types.
// Constants: u_shift, u_min, feature_shift, whether the model is gated, then the first row of every pair of types.
template <class CONFIG_T, class data_T, class res_T, class row_T, class constant_T>
void feature(hls::stream<data_T> &neighbors, hls::stream<res_T> &res, row_T rows[CONFIG_T::n_rows],
             constant_T constants[CONFIG_T::n_constants]) {
    const unsigned m1 = CONFIG_T::n_channels;
    const data_T atom = neighbors.read();
    const unsigned center = unsigned(atom[words::CONTROL] >> 16) & 255;
    const unsigned u_shift = constants[0][0], shift = constants[2][0];
    const ap_int<32> u_min = constants[1][0];
    const bool gated = constants[3][0] != 0;
    for (unsigned n = 0; n < CONFIG_T::n_neighbors; n++) {
        #pragma HLS PIPELINE II=1
        const data_T x = neighbors.read();
        const int type = x[words::NEIGHBOR_TYPE];
        const bool there = type != words::ABSENT;
        const words::position at = words::locate(x[words::DX], x[words::DY], x[words::DZ], u_shift, u_min);
        const unsigned pair = center * CONFIG_T::n_types + (there ? type : 0);
        const unsigned segment = at.segment < CONFIG_T::n_segments ? unsigned(at.segment) : CONFIG_T::n_segments - 1;
        const row_T &row = rows[unsigned(constants[4 + pair][0]) + segment];
        const row_T &gates = rows[gated ? CONFIG_T::first_gate + pair : 0];
        res_T result;
        for (unsigned k = 0; k < m1; k++) {
            #pragma HLS UNROLL
            const words::narrow_value g = words::narrow(row[k], row[m1 + k], row[2 * m1 + k], at.t, shift);
            const ap_int<33> value = g.value * gates[k], slope = g.slope * gates[k];
            const ap_int<16> open_value = gated ? ap_int<16>(words::rnd(value, 15)) : g.value;
            const ap_int<16> open_slope = gated ? ap_int<16>(words::rnd(slope, 15)) : g.slope;
            result[k] = there ? open_value : ap_int<16>(0);
            result[m1 + k] = there ? open_slope : ap_int<16>(0);
        }
        res.write(result);
    }
}

} // namespace nnet

#endif
