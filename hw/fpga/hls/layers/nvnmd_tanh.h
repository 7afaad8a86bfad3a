// The tanh table (docs/numerics.md, section 6): what value and slope share.
#ifndef NVNMD_TANH_H_
#define NVNMD_TANH_H_

#include "nvnmd_words.h"

namespace nnet {
namespace words {

struct tanh_input {
    ap_uint<15> segment;
    ap_int<16> t;
    bool negative;
};

template <unsigned seg_bits> tanh_input tanh_position(const ap_int<32> &sum, unsigned z_shift) {
    #pragma HLS INLINE
    const ap_int<42> z = rnd(ap_int<42>(sum), z_shift);
    const ap_int<42> magnitude = z < 0 ? ap_int<42>(-z) : z;
    const ap_uint<15> zt = magnitude > 32767 ? ap_uint<15>(32767) : ap_uint<15>(magnitude);
    tanh_input at;
    at.negative = z < 0;
    at.segment = zt >> seg_bits;
    at.t = ap_uint<15>(zt << (15 - seg_bits));
    return at;
}

} // namespace words
} // namespace nnet

#endif
