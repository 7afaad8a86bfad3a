// Y, the derivative of the energy by X (docs/numerics.md, section 7).
#ifndef NVNMD_CONTRACTION_GRAD_H_
#define NVNMD_CONTRACTION_GRAD_H_

#include "nvnmd_words.h"

namespace nnet {

// Constants: shift of Y.
template <class CONFIG_T, class data_T, class x_T, class res_T, class constant_T>
void contraction_grad(hls::stream<data_T> &grads, hls::stream<x_T> &x_stream, hls::stream<res_T> &res,
                      constant_T constants[CONFIG_T::n_constants]) {
    const unsigned m1 = CONFIG_T::n_channels, m2 = CONFIG_T::n_columns;
    typedef typename res_T::value_type word_t;
    const data_T grad = grads.read();
    const x_T x = x_stream.read();
    const unsigned shift = constants[0][0];
    words::count_t clips = 0;
    ap_int<42> sums[4 * CONFIG_T::n_channels];
    #pragma HLS ARRAY_PARTITION variable=sums complete
    for (unsigned i = 0; i < 4 * m1; i++) {
        #pragma HLS UNROLL
        sums[i] = 0;
    }
    for (unsigned k = 0; k < m1; k++) {
        #pragma HLS PIPELINE II=1
        for (unsigned c = 0; c < 4; c++) {
            #pragma HLS UNROLL
            for (unsigned m = 0; m < m2; m++) {
                #pragma HLS UNROLL
                const ap_int<16> g = words::raw(grad[k * m2 + m]);
                sums[c * m1 + k] += g * words::raw(x[c * m1 + m]);
                sums[c * m1 + m] += g * words::raw(x[c * m1 + k]);
            }
        }
    }
    res_T result;
    for (unsigned i = 0; i < 4 * m1; i++) {
        #pragma HLS UNROLL
        result[i] = words::from_raw<word_t>(words::sat<16>(words::rnd(sums[i], shift), clips));
    }
    words::pass_tail<CONFIG_T::n_channels * CONFIG_T::n_columns, 4 * CONFIG_T::n_channels>(grad, result);
    words::add_clips(result[4 * m1 + words::CLIPS_Y], clips);
    res.write(result);
}

} // namespace nnet

#endif
