// Words of the integer model (docs/numerics.md, section 1) as raw bits of hls4ml's types, and what all our layers share.
#ifndef NVNMD_WORDS_H_
#define NVNMD_WORDS_H_

#include "ap_fixed.h"
#include "hls_stream.h"
#include "nnet_common.h"
#include "nnet_types.h"

namespace nnet {
namespace words {

// Every vector is followed by these words: the type of its atom, then words clipped so far, by stage.
enum tail_word { ATOM_TYPE, CLIPS_R, TOO_CLOSE, CLIPS_X, CLIPS_D, CLIPS_H, CLIPS_GRAD, CLIPS_Y, TAIL };

// Rows of the stream of neighbors: row 0 is the atom, ABSENT stands for the type of a neighbor that is not there.
enum atom_column { CONTROL, COUNT, SEQUENCE };
enum neighbor_column { DX, DY, DZ, NEIGHBOR_TYPE };
const int ABSENT = -1;

typedef ap_uint<15> count_t;

template <class word_T> ap_int<word_T::width> raw(const word_T &word) {
    #pragma HLS INLINE
    ap_int<word_T::width> bits;
    bits.range(word_T::width - 1, 0) = word.range(word_T::width - 1, 0);
    return bits;
}

template <class word_T> word_T from_raw(const ap_int<word_T::width> &bits) {
    #pragma HLS INLINE
    word_T word;
    word.range(word_T::width - 1, 0) = bits.range(word_T::width - 1, 0);
    return word;
}

// A count in a word of any width from 15 bits.
template <class word_T> count_t get_count(const word_T &word) {
    #pragma HLS INLINE
    return count_t(raw(word));
}

template <class word_T> word_T put_count(const count_t &count) {
    #pragma HLS INLINE
    return from_raw<word_T>(ap_int<word_T::width>(count));
}

// rnd of section 1. The sum must not overflow `bits`.
template <int bits> ap_int<bits> rnd(const ap_int<bits> &value, unsigned shift) {
    #pragma HLS INLINE
    if (shift == 0)
        return value;
    const ap_int<bits> half = ap_int<bits>(1) << (shift - 1);
    const ap_int<bits> sum = value + half;
    return sum >> shift;
}

// sat of section 1; adds one to `clips` where the clamp changes the word.
template <int top_bits, int bits> ap_int<top_bits> sat(const ap_int<bits> &value, count_t &clips) {
    #pragma HLS INLINE
    const ap_int<bits> top = (ap_int<bits>(1) << (top_bits - 1)) - 1;
    if (value > top) {
        clips++;
        return top;
    }
    if (value < -top) {
        clips++;
        return -top;
    }
    return value;
}

// Copies the tail behind `n_in` words of one vector to behind `n_out` words of another.
template <unsigned n_in, unsigned n_out, class in_T, class out_T> void pass_tail(const in_T &in, out_T &out) {
    #pragma HLS INLINE
    for (unsigned i = 0; i < TAIL; i++) {
        #pragma HLS UNROLL
        out[n_out + i] = put_count<typename out_T::value_type>(get_count(in[n_in + i]));
    }
}

template <class out_T> void add_clips(out_T &word, const count_t &clips) {
    #pragma HLS INLINE
    word = put_count<out_T>(get_count(word) + clips);
}

// Where r² of a neighbor lies in the tables (section 2).
struct position {
    ap_uint<12> segment;
    ap_int<16> t;
    bool too_close;
};

inline position locate(const ap_int<18> &x, const ap_int<18> &y, const ap_int<18> &z, unsigned u_shift, const ap_int<32> &u_min) {
    #pragma HLS INLINE
    const ap_int<42> sum = x * x + y * y + z * z;
    const ap_int<42> u = rnd(sum, u_shift);
    position at;
    at.too_close = u < u_min;
    const ap_int<42> v = at.too_close ? ap_int<42>(u_min) : u;
    at.segment = v >> 15;
    at.t = v & 32767;
    return at;
}

// Both forms of section 3.
struct narrow_value {
    ap_int<16> value, slope;
};

inline narrow_value narrow(const ap_int<16> &c0, const ap_int<16> &c1, const ap_int<16> &c2, const ap_int<16> &t, unsigned shift) {
    #pragma HLS INLINE
    const ap_int<33> curvature = t * c2;
    const ap_int<33> q = rnd(curvature, 15);
    const ap_int<16> d = c1 + q;
    const ap_int<33> product = (t >> shift) * d;
    narrow_value result;
    result.value = c0 + rnd(product, 15);
    result.slope = d + q;
    return result;
}

struct wide_value {
    ap_int<32> value;
    ap_int<27> slope;
};

inline wide_value wide(const ap_int<32> &c0, const ap_int<27> &c1, const ap_int<27> &c2, const ap_int<16> &t, unsigned shift) {
    #pragma HLS INLINE
    const ap_int<45> curvature = t * c2;
    const ap_int<45> q = rnd(curvature, 15);
    const ap_int<28> d = c1 + q;
    const ap_int<57> product = t * d;
    wide_value result;
    result.value = c0 + rnd(product, 15 + shift);
    result.slope = d + q;
    return result;
}

} // namespace words
} // namespace nnet

#endif
