// X, the sum over neighbors of R times G (docs/numerics.md, section 5). Starts the tail of the vectors.
#ifndef NVNMD_CONTRACTION_H_
#define NVNMD_CONTRACTION_H_

#include "nvnmd_words.h"

namespace nnet {

// Constants: shift of X.
template <class CONFIG_T, class data_T, class env_T, class feature_T, class res_T, class constant_T>
void contraction(hls::stream<data_T> &neighbors, hls::stream<env_T> &environment, hls::stream<feature_T> &features,
                 hls::stream<res_T> &res, constant_T constants[CONFIG_T::n_constants]) {
    const unsigned m1 = CONFIG_T::n_channels;
    typedef typename res_T::value_type word_t;
    ap_int<49> sums[4 * CONFIG_T::n_channels];
    #pragma HLS ARRAY_PARTITION variable=sums complete
    for (unsigned i = 0; i < 4 * m1; i++) {
        #pragma HLS UNROLL
        sums[i] = 0;
    }
    words::count_t clips_r = 0, too_close = 0, clips_x = 0;
    const data_T atom = neighbors.read();
    for (unsigned n = 0; n < CONFIG_T::n_neighbors; n++) {
        #pragma HLS PIPELINE II=1
        neighbors.read();
        const env_T env = environment.read();
        const feature_T g = features.read();
        clips_r += words::get_count(env[4]);
        too_close += words::get_count(env[5]);
        for (unsigned c = 0; c < 4; c++) {
            #pragma HLS UNROLL
            for (unsigned k = 0; k < m1; k++) {
                #pragma HLS UNROLL
                sums[c * m1 + k] += words::raw(env[c]) * ap_int<16>(g[k]);
            }
        }
    }
    res_T result;
    const unsigned shift = constants[0][0];
    for (unsigned i = 0; i < 4 * m1; i++) {
        #pragma HLS UNROLL
        result[i] = words::from_raw<word_t>(words::sat<word_t::width>(words::rnd(sums[i], shift), clips_x));
    }
    for (unsigned i = 0; i < words::TAIL; i++) {
        #pragma HLS UNROLL
        result[4 * m1 + i] = words::put_count<word_t>(0);
    }
    result[4 * m1 + words::ATOM_TYPE] = words::put_count<word_t>(words::count_t(ap_uint<8>(atom[words::CONTROL] >> 16)));
    result[4 * m1 + words::CLIPS_R] = words::put_count<word_t>(clips_r);
    result[4 * m1 + words::TOO_CLOSE] = words::put_count<word_t>(too_close);
    result[4 * m1 + words::CLIPS_X] = words::put_count<word_t>(clips_x);
    res.write(result);
}

} // namespace nnet

#endif
