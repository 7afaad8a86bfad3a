// hls4ml's Dense with weights of the atom's type: a word of the weight memory holds the weights of all types, and the product that
// hls4ml's Resource kernels call takes the one that the data asks for.
#ifndef NVNMD_TYPED_DENSE_H_
#define NVNMD_TYPED_DENSE_H_

#include "nnet_dense.h"
#include "nnet_dense_stream.h"
#include "nvnmd_words.h"

namespace nnet {

template <class value_T> struct typed_word {
    value_T value;
    ap_uint<8> type;
};

namespace product {

template <class x_T, class w_T> class of_type : public Product {
  public:
    static auto product(const x_T &a, const w_T &w) -> decltype(a.value * w[0]) {
        #pragma HLS INLINE
        return a.value * w[a.type];
    }
};

} // namespace product

template <class CONFIG_T, class data_T>
unsigned read_typed(hls::stream<data_T> &stream, typed_word<typename data_T::value_type> data[CONFIG_T::n_in], data_T &pack) {
    #pragma HLS INLINE
    pack = stream.read();
    const unsigned type = words::get_count(pack[CONFIG_T::n_in + words::ATOM_TYPE]);
    for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
        #pragma HLS UNROLL
        data[i].value = pack[i];
        data[i].type = type;
    }
    return type;
}

template <class CONFIG_T, class data_T, class res_T>
void run_typed(const data_T &pack, typed_word<typename data_T::value_type> data[CONFIG_T::n_in],
               typename CONFIG_T::weight_t weights[CONFIG_T::n_in * CONFIG_T::n_out],
               typename CONFIG_T::bias_t biases[CONFIG_T::n_out], hls::stream<res_T> &res_stream) {
    #pragma HLS INLINE
    typedef typename res_T::value_type sum_t;
    sum_t sums[CONFIG_T::n_out];
    #pragma HLS ARRAY_PARTITION variable=sums complete
    dense_resource_wrapper<typed_word<typename data_T::value_type>, sum_t, CONFIG_T>(data, sums, weights, biases);
    res_T result;
    for (unsigned i = 0; i < CONFIG_T::n_out; i++) {
        #pragma HLS UNROLL
        result[i] = sums[i];
    }
    words::pass_tail<CONFIG_T::n_in, CONFIG_T::n_out>(pack, result);
    res_stream.write(result);
}

// Forward: W h + B.
template <class CONFIG_T, class data_T, class res_T, class bias_row_T>
void typed_dense(hls::stream<data_T> &stream, hls::stream<res_T> &res,
                 typename CONFIG_T::weight_t weights[CONFIG_T::n_in * CONFIG_T::n_out], bias_row_T bias_rows[CONFIG_T::n_out]) {
    data_T pack;
    typed_word<typename data_T::value_type> data[CONFIG_T::n_in];
    #pragma HLS ARRAY_PARTITION variable=data complete
    const unsigned type = read_typed<CONFIG_T>(stream, data, pack);
    typename CONFIG_T::bias_t biases[CONFIG_T::n_out];
    for (unsigned i = 0; i < CONFIG_T::n_out; i++) {
        #pragma HLS PIPELINE II=1
        biases[i] = bias_rows[i][type];
    }
    run_typed<CONFIG_T>(pack, data, weights, biases, res);
}

// Backward: the transposed weights, no bias.
template <class CONFIG_T, class data_T, class res_T>
void typed_dense(hls::stream<data_T> &stream, hls::stream<res_T> &res,
                 typename CONFIG_T::weight_t weights[CONFIG_T::n_in * CONFIG_T::n_out]) {
    data_T pack;
    typed_word<typename data_T::value_type> data[CONFIG_T::n_in];
    #pragma HLS ARRAY_PARTITION variable=data complete
    read_typed<CONFIG_T>(stream, data, pack);
    typename CONFIG_T::bias_t biases[CONFIG_T::n_out];
    for (unsigned i = 0; i < CONFIG_T::n_out; i++) {
        #pragma HLS UNROLL
        biases[i] = 0;
    }
    run_typed<CONFIG_T>(pack, data, weights, biases, res);
}

} // namespace nnet

#endif
