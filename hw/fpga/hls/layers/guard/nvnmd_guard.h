// Guard table: repulsion at short range, value and slope of every neighbor (docs/numerics.md, section 8).
#ifndef NVNMD_GUARD_H_
#define NVNMD_GUARD_H_

#include "nvnmd_words.h"

namespace nnet {

// Constants: u_shift, u_min, guard_shift, segments of the model's guard, then the first row of every pair of types.
template <class CONFIG_T, class data_T, class res_T, class row_T, class constant_T>
void guard(hls::stream<data_T> &neighbors, hls::stream<res_T> &res, row_T rows[CONFIG_T::n_rows],
           constant_T constants[CONFIG_T::n_constants]) {
    const data_T atom = neighbors.read();
    const unsigned center = unsigned(atom[words::CONTROL] >> 16) & 255;
    const unsigned u_shift = constants[0][0], shift = constants[2][0], end = constants[3][0];
    const ap_int<32> u_min = constants[1][0];
    for (unsigned n = 0; n < CONFIG_T::n_neighbors; n++) {
        #pragma HLS PIPELINE II=1
        const data_T x = neighbors.read();
        const int type = x[words::NEIGHBOR_TYPE];
        const words::position at = words::locate(x[words::DX], x[words::DY], x[words::DZ], u_shift, u_min);
        const bool inside = type != words::ABSENT && at.segment < end;
        const unsigned first = constants[4 + center * CONFIG_T::n_types + (inside ? type : 0)][0];
        const row_T &row = rows[inside ? first + unsigned(at.segment) : 0];
        const words::wide_value value = words::wide(row[0], row[1], row[2], at.t, shift);
        res_T result;
        result[0] = inside ? value.value : ap_int<32>(0);
        result[1] = inside ? ap_int<32>(value.slope) : ap_int<32>(0);
        res.write(result);
    }
}

} // namespace nnet

#endif
