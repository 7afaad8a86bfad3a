// Radial and angular table: s, s', h, h' of every neighbor (docs/numerics.md, section 4).
#ifndef NVNMD_RADIAL_H_
#define NVNMD_RADIAL_H_

#include "nvnmd_words.h"

namespace nnet {

// Constants: u_shift, u_min, s_shift, h_shift, then the first row of every pair of types.
template <class CONFIG_T, class data_T, class res_T, class row_T, class constant_T>
void radial(hls::stream<data_T> &neighbors, hls::stream<res_T> &res, row_T rows[CONFIG_T::n_rows],
            constant_T constants[CONFIG_T::n_constants]) {
    const data_T atom = neighbors.read();
    const unsigned center = unsigned(atom[words::CONTROL] >> 16) & 255;
    const unsigned u_shift = constants[0][0], s_shift = constants[2][0], h_shift = constants[3][0];
    const ap_int<32> u_min = constants[1][0];
    for (unsigned n = 0; n < CONFIG_T::n_neighbors; n++) {
        #pragma HLS PIPELINE II=1
        const data_T x = neighbors.read();
        const int type = x[words::NEIGHBOR_TYPE];
        const bool there = type != words::ABSENT;
        const words::position at = words::locate(x[words::DX], x[words::DY], x[words::DZ], u_shift, u_min);
        const unsigned first = constants[4 + center * CONFIG_T::n_types + (there ? type : 0)][0];
        const unsigned segment = at.segment < CONFIG_T::n_segments ? unsigned(at.segment) : CONFIG_T::n_segments - 1;
        const row_T &row = rows[first + segment];
        const words::wide_value s = words::wide(row[0], row[1], row[2], at.t, s_shift);
        const words::wide_value h = words::wide(row[3], row[4], row[5], at.t, h_shift);
        res_T result;
        result[0] = there ? s.value : ap_int<32>(0);
        result[1] = there ? s.slope : ap_int<27>(0);
        result[2] = there ? h.value : ap_int<32>(0);
        result[3] = there ? h.slope : ap_int<27>(0);
        res.write(result);
    }
}

} // namespace nnet

#endif
