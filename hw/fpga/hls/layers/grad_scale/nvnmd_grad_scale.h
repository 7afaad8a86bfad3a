// gz_l: the gradient times the derivative of tanh (docs/numerics.md, section 7).
#ifndef NVNMD_GRAD_SCALE_H_
#define NVNMD_GRAD_SCALE_H_

#include "nvnmd_words.h"

namespace nnet {

template <class CONFIG_T, class data_T, class slope_T, class res_T>
void grad_scale(hls::stream<data_T> &grads, hls::stream<slope_T> &slopes, hls::stream<res_T> &res) {
    const data_T grad = grads.read();
    const slope_T slope = slopes.read();
    res_T result;
    for (unsigned i = 0; i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        #pragma HLS UNROLL factor=CONFIG_T::n_lanes
        const ap_int<33> product = words::raw(grad[i]) * words::raw(slope[i]);
        result[i] = words::from_raw<typename res_T::value_type>(words::rnd(product, 15));
    }
    words::pass_tail<CONFIG_T::n_words, CONFIG_T::n_words>(grad, result);
    res.write(result);
}

} // namespace nnet

#endif
