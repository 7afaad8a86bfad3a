// g_L: the output row of the atom's type, where the backward pass starts (docs/numerics.md, section 7).
#ifndef NVNMD_OUTPUT_WEIGHTS_H_
#define NVNMD_OUTPUT_WEIGHTS_H_

#include "nvnmd_words.h"

namespace nnet {

// Rows: the weight of every neuron for all types.
template <class CONFIG_T, class data_T, class res_T, class row_T>
void output_weights(hls::stream<data_T> &sums, hls::stream<res_T> &res, row_T rows[CONFIG_T::n_rows]) {
    const data_T sum = sums.read();
    const unsigned type = words::get_count(sum[1 + words::ATOM_TYPE]);
    res_T result;
    for (unsigned i = 0; i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        #pragma HLS UNROLL factor=CONFIG_T::n_lanes
        result[i] = rows[i][type];
    }
    words::pass_tail<1, CONFIG_T::n_words>(sum, result);
    res.write(result);
}

} // namespace nnet

#endif
