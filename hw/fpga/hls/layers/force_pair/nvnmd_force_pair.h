// V, P and the force of every neighbor, and words clipped at each (docs/numerics.md, section 8).
#ifndef NVNMD_FORCE_PAIR_H_
#define NVNMD_FORCE_PAIR_H_

#include "nvnmd_words.h"

namespace nnet {

// Constants: shifts of V, P and the force, then e1 … e5.
template <class CONFIG_T, class data_T, class dot_T, class radial_T, class env_T, class guard_T, class res_T, class constant_T>
void force_pair(hls::stream<data_T> &neighbors, hls::stream<dot_T> &dots, hls::stream<radial_T> &radial,
                hls::stream<env_T> &environment, hls::stream<guard_T> &guard, hls::stream<res_T> &res,
                constant_T constants[CONFIG_T::n_constants]) {
    typedef typename res_T::value_type word_t;
    const unsigned v_shift = constants[0][0], p_shift = constants[1][0], f_shift = constants[2][0];
    const unsigned e1 = constants[3][0], e2 = constants[4][0], e3 = constants[5][0];
    const unsigned e4 = constants[6][0], e5 = constants[7][0];
    neighbors.read();
    for (unsigned n = 0; n < CONFIG_T::n_neighbors; n++) {
        #pragma HLS PIPELINE II=1
        const data_T x = neighbors.read();
        const dot_T dot = dots.read();
        const radial_T table = radial.read();
        const env_T env = environment.read();
        const guard_T repulsion = guard.read();
        words::count_t v_clips = 0, p_clips = 0, f_clips = 0;
        ap_int<42> v_sum = 0;
        ap_int<54> b_sum = 0;
        for (unsigned axis = 0; axis < 3; axis++) {
            #pragma HLS UNROLL
            v_sum += dot[1 + axis] * ap_int<18>(x[axis]);
        }
        for (unsigned c = 0; c < 4; c++) {
            #pragma HLS UNROLL
            b_sum += words::raw(env[c]) * dot[4 + c];
        }
        const ap_int<CONFIG_T::v_bits> v = words::sat<CONFIG_T::v_bits>(words::rnd(v_sum, v_shift), v_clips);
        const ap_int<54> s_part = table[1] * dot[0], h_part = table[3] * v;
        const ap_int<54> t = (s_part << e1) + (h_part << e2) + (b_sum << e3);
        const ap_int<54> p_sum = words::rnd(t, p_shift) + repulsion[1];
        const ap_int<CONFIG_T::p_bits> p = words::sat<CONFIG_T::p_bits>(p_sum, p_clips);
        res_T result;
        for (unsigned axis = 0; axis < 3; axis++) {
            #pragma HLS UNROLL
            const ap_int<54> direct = ap_int<19>(2 * x[axis]) * p, turned = dot[1 + axis] * table[2];
            const ap_int<54> force = (direct << e4) + (turned << e5);
            result[axis] = words::from_raw<word_t>(words::sat<word_t::width>(words::rnd(force, f_shift), f_clips));
        }
        result[3] = words::put_count<word_t>(v_clips);
        result[4] = words::put_count<word_t>(p_clips);
        result[5] = words::put_count<word_t>(f_clips);
        res.write(result);
    }
}

} // namespace nnet

#endif
