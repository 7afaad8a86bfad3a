// D, the product of X with its first columns (docs/numerics.md, section 5).
#ifndef NVNMD_SYMMETRIC_H_
#define NVNMD_SYMMETRIC_H_

#include "nvnmd_words.h"

namespace nnet {

// Constants: shift of D.
template <class CONFIG_T, class data_T, class res_T, class constant_T>
void symmetric(hls::stream<data_T> &x_stream, hls::stream<res_T> &res, constant_T constants[CONFIG_T::n_constants]) {
    const unsigned m1 = CONFIG_T::n_channels, m2 = CONFIG_T::n_columns;
    typedef typename res_T::value_type word_t;
    const data_T x = x_stream.read();
    const unsigned shift = constants[0][0];
    words::count_t clips = 0;
    res_T result;
    for (unsigned k = 0; k < m1; k++) {
        #pragma HLS PIPELINE II=1
        for (unsigned m = 0; m < m2; m++) {
            #pragma HLS UNROLL
            ap_int<42> sum = 0;
            for (unsigned c = 0; c < 4; c++) {
                #pragma HLS UNROLL
                sum += words::raw(x[c * m1 + k]) * words::raw(x[c * m1 + m]);
            }
            result[k * m2 + m] = words::from_raw<word_t>(words::sat<16>(words::rnd(sum, shift), clips));
        }
    }
    words::pass_tail<4 * CONFIG_T::n_channels, CONFIG_T::n_channels * CONFIG_T::n_columns>(x, result);
    words::add_clips(result[m1 * m2 + words::CLIPS_D], clips);
    res.write(result);
}

} // namespace nnet

#endif
