// g_(l-1): backward sums, plus the gradient behind a skip connection, rounded (docs/numerics.md, section 7).
#ifndef NVNMD_GRAD_ROUND_H_
#define NVNMD_GRAD_ROUND_H_

#include "nvnmd_words.h"

namespace nnet {

// Constants: shift of the sum.
template <class CONFIG_T, class data_T, class res_T, class constant_T>
void grad_round(hls::stream<data_T> &sums, hls::stream<res_T> &res, constant_T constants[CONFIG_T::n_constants]) {
    const data_T sum = sums.read();
    const unsigned shift = constants[0][0];
    words::count_t clips = 0;
    res_T result;
    for (unsigned i = 0; i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        #pragma HLS UNROLL factor=CONFIG_T::n_lanes
        const ap_int<42> value = words::raw(sum[i]);
        result[i] = words::from_raw<typename res_T::value_type>(words::sat<16>(words::rnd(value, shift), clips));
    }
    words::pass_tail<CONFIG_T::n_words, CONFIG_T::n_words>(sum, result);
    words::add_clips(result[CONFIG_T::n_words + words::CLIPS_GRAD], clips);
    res.write(result);
}

// Constants: shift of the sum, shift of the gradient that is added to it.
template <class CONFIG_T, class data_T, class skip_T, class res_T, class constant_T>
void grad_round(hls::stream<data_T> &sums, hls::stream<skip_T> &skipped, hls::stream<res_T> &res,
                constant_T constants[CONFIG_T::n_constants]) {
    const data_T sum = sums.read();
    const skip_T behind = skipped.read();
    const unsigned shift = constants[0][0], left = constants[1][0];
    words::count_t clips = 0;
    res_T result;
    for (unsigned i = 0; i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        #pragma HLS UNROLL factor=CONFIG_T::n_lanes
        const ap_int<42> value = words::raw(sum[i]) + (ap_int<42>(words::raw(behind[i])) << left);
        result[i] = words::from_raw<typename res_T::value_type>(words::sat<16>(words::rnd(value, shift), clips));
    }
    words::pass_tail<CONFIG_T::n_words, CONFIG_T::n_words>(sum, result);
    words::add_clips(result[CONFIG_T::n_words + words::CLIPS_GRAD], clips);
    res.write(result);
}

} // namespace nnet

#endif
