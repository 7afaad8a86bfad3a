// φ_l: the derivative of tanh at the rounded sums, from the same table (docs/numerics.md, section 6).
#ifndef NVNMD_TANH_SLOPE_H_
#define NVNMD_TANH_SLOPE_H_

#include "nvnmd_tanh.h"

namespace nnet {

// Constants: shift of the sum, tanh_shift.
template <class CONFIG_T, class data_T, class res_T, class row_T, class constant_T>
void tanh_slope(hls::stream<data_T> &sums, hls::stream<res_T> &res, row_T rows[CONFIG_T::n_rows],
                constant_T constants[CONFIG_T::n_constants]) {
    const data_T sum = sums.read();
    const unsigned z_shift = constants[0][0], tanh_shift = constants[1][0];
    res_T result;
    for (unsigned i = 0; i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        #pragma HLS UNROLL factor=CONFIG_T::n_lanes
        const words::tanh_input at = words::tanh_position<CONFIG_T::seg_bits>(words::raw(sum[i]), z_shift);
        const row_T &row = rows[at.segment];
        const ap_int<16> slope = words::narrow(row[0], row[1], row[2], at.t, tanh_shift).slope;
        result[i] = words::from_raw<typename res_T::value_type>(slope);
    }
    res.write(result);
}

} // namespace nnet

#endif
