// Environment matrix: rows R of every neighbor, words clipped and whether it is too close (docs/numerics.md, section 4).
#ifndef NVNMD_ENVIRONMENT_H_
#define NVNMD_ENVIRONMENT_H_

#include "nvnmd_words.h"

namespace nnet {

// Constants: u_shift, u_min, shift of R_0, shift of R_x, R_y, R_z.
template <class CONFIG_T, class data_T, class radial_T, class res_T, class constant_T>
void environment(hls::stream<data_T> &neighbors, hls::stream<radial_T> &radial, hls::stream<res_T> &res,
                 constant_T constants[CONFIG_T::n_constants]) {
    typedef typename res_T::value_type word_t;
    neighbors.read();
    const unsigned u_shift = constants[0][0], shift_0 = constants[2][0], shift = constants[3][0];
    const ap_int<32> u_min = constants[1][0];
    for (unsigned n = 0; n < CONFIG_T::n_neighbors; n++) {
        #pragma HLS PIPELINE II=1
        const data_T x = neighbors.read();
        const radial_T tables = radial.read();
        const bool there = x[words::NEIGHBOR_TYPE] != words::ABSENT;
        const words::position at = words::locate(x[words::DX], x[words::DY], x[words::DZ], u_shift, u_min);
        words::count_t clips = 0;
        res_T result;
        const ap_int<48> s = tables[0];
        result[0] = words::from_raw<word_t>(words::sat<16>(words::rnd(s, shift_0), clips));
        for (unsigned axis = 0; axis < 3; axis++) {
            #pragma HLS UNROLL
            const ap_int<48> product = tables[2] * ap_int<18>(x[axis]);
            result[1 + axis] = words::from_raw<word_t>(words::sat<16>(words::rnd(product, shift), clips));
        }
        result[4] = words::put_count<word_t>(clips);
        result[5] = words::put_count<word_t>(there && at.too_close ? 1 : 0);
        res.write(result);
    }
}

} // namespace nnet

#endif
