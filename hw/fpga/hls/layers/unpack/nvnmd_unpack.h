// Beats of a checked packet to one row a neighbor (docs/stream.md). Row 0 is the atom.
#ifndef NVNMD_UNPACK_H_
#define NVNMD_UNPACK_H_

#include "nvnmd_words.h"

namespace nnet {

template <class CONFIG_T, class data_T, class res_T> void unpack(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    const data_T found = data.read();
    const unsigned count = found[3].to_uint();
    data_T beat;
    for (unsigned i = 0; i < 16; i++) {
        #pragma HLS UNROLL
        beat[i] = 0;
    }
    for (unsigned n = 0; n < 8 * CONFIG_T::n_beats; n++) {
        #pragma HLS PIPELINE II=1
        if (n % 8 == 0)
            beat = data.read();
        const ap_uint<32> low = beat[2 * (n % 8)], high = beat[2 * (n % 8) + 1];
        const ap_uint<64> word = (high, low);
        const bool there = n >= 1 && n <= count;
        res_T row;
        for (unsigned axis = 0; axis < 3; axis++) {
            #pragma HLS UNROLL
            const ap_int<18> x = ap_uint<18>(word >> (18 * axis));
            row[axis] = there ? x : ap_int<18>(0);
        }
        row[words::NEIGHBOR_TYPE] = there ? ap_int<32>(ap_uint<5>(word >> 54)) : ap_int<32>(words::ABSENT);
        if (n == 0) {
            row[words::CONTROL] = found[0] | found[1] << 8 | found[2] << 16;
            row[words::COUNT] = count;
            row[words::SEQUENCE] = found[4];
            row[words::NEIGHBOR_TYPE] = 0;
        }
        if (n <= CONFIG_T::n_neighbors)
            res.write(row);
    }
}

} // namespace nnet

#endif
