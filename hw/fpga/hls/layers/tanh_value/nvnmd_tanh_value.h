// h_l: tanh of the rounded sums, plus the layer's input where it is skipped (docs/numerics.md, section 6).
#ifndef NVNMD_TANH_VALUE_H_
#define NVNMD_TANH_VALUE_H_

#include "nvnmd_tanh.h"

namespace nnet {

template <class CONFIG_T, class data_T, class row_T>
ap_int<16> tanh_word(const data_T &sum, row_T rows[CONFIG_T::n_rows], unsigned z_shift, unsigned tanh_shift) {
    #pragma HLS INLINE
    const words::tanh_input at = words::tanh_position<CONFIG_T::seg_bits>(words::raw(sum), z_shift);
    const row_T &row = rows[at.segment];
    const ap_int<16> value = words::narrow(row[0], row[1], row[2], at.t, tanh_shift).value;
    return at.negative ? ap_int<16>(-value) : value;
}

// Constants: shift of the sum, tanh_shift.
template <class CONFIG_T, class data_T, class res_T, class row_T, class constant_T>
void tanh_value(hls::stream<data_T> &sums, hls::stream<res_T> &res, row_T rows[CONFIG_T::n_rows],
                constant_T constants[CONFIG_T::n_constants]) {
    const data_T sum = sums.read();
    const unsigned z_shift = constants[0][0], tanh_shift = constants[1][0];
    res_T result;
    for (unsigned i = 0; i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        #pragma HLS UNROLL factor=CONFIG_T::n_lanes
        result[i] = words::from_raw<typename res_T::value_type>(tanh_word<CONFIG_T>(sum[i], rows, z_shift, tanh_shift));
    }
    words::pass_tail<CONFIG_T::n_words, CONFIG_T::n_words>(sum, result);
    res.write(result);
}

template <class CONFIG_T, class data_T, class skip_T, class res_T, class row_T, class constant_T>
void tanh_value(hls::stream<data_T> &sums, hls::stream<skip_T> &skipped, hls::stream<res_T> &res, row_T rows[CONFIG_T::n_rows],
                constant_T constants[CONFIG_T::n_constants]) {
    const data_T sum = sums.read();
    const skip_T before = skipped.read();
    const unsigned z_shift = constants[0][0], tanh_shift = constants[1][0];
    words::count_t clips = 0;
    res_T result;
    for (unsigned i = 0; i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        #pragma HLS UNROLL factor=CONFIG_T::n_lanes
        const ap_int<18> both = tanh_word<CONFIG_T>(sum[i], rows, z_shift, tanh_shift) + words::raw(before[i]);
        result[i] = words::from_raw<typename res_T::value_type>(words::sat<16>(both, clips));
    }
    words::pass_tail<CONFIG_T::n_words, CONFIG_T::n_words>(sum, result);
    words::add_clips(result[CONFIG_T::n_words + words::CLIPS_H], clips);
    res.write(result);
}

} // namespace nnet

#endif
