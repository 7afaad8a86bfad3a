// A and B: Y times G and G' of every neighbor, and words clipped (docs/numerics.md, section 8).
#ifndef NVNMD_FORCE_DOTS_H_
#define NVNMD_FORCE_DOTS_H_

#include "nvnmd_words.h"

namespace nnet {

// Constants: shift of A, shift of B.
template <class CONFIG_T, class data_T, class feature_T, class res_T, class constant_T>
void force_dots(hls::stream<data_T> &grads, hls::stream<feature_T> &features, hls::stream<res_T> &res,
                constant_T constants[CONFIG_T::n_constants]) {
    const unsigned m1 = CONFIG_T::n_channels;
    const data_T y = grads.read();
    const unsigned a_shift = constants[0][0], b_shift = constants[1][0];
    for (unsigned n = 0; n < CONFIG_T::n_neighbors; n++) {
        #pragma HLS PIPELINE II=1
        const feature_T g = features.read();
        words::count_t a_clips = 0, b_clips = 0;
        res_T result;
        for (unsigned c = 0; c < 4; c++) {
            #pragma HLS UNROLL
            ap_int<49> a = 0, b = 0;
            for (unsigned k = 0; k < m1; k++) {
                #pragma HLS UNROLL
                a += words::raw(y[c * m1 + k]) * ap_int<16>(g[k]);
                b += words::raw(y[c * m1 + k]) * ap_int<16>(g[m1 + k]);
            }
            result[c] = words::sat<CONFIG_T::a_bits>(words::rnd(a, a_shift), a_clips);
            result[4 + c] = words::sat<CONFIG_T::b_bits>(words::rnd(b, b_shift), b_clips);
        }
        result[8] = a_clips;
        result[9] = b_clips;
        res.write(result);
    }
}

} // namespace nnet

#endif
