// Answers of docs/stream.md: energy, forces, counts, checksum, filled up with zeros to a whole frame.
#ifndef NVNMD_PACKET_OUT_H_
#define NVNMD_PACKET_OUT_H_

#include "nvnmd_crc32.h"
#include "nvnmd_words.h"

namespace nnet {
namespace packets {

// Counts of one atom in the order of the answer.
struct counts {
    ap_uint<16> word[12];
};

template <unsigned first, class grad_T> void start_counts(const grad_T &grad, counts &found) {
    #pragma HLS INLINE
    const unsigned places[6] = {words::CLIPS_R, words::CLIPS_X, words::CLIPS_D, words::CLIPS_H, words::CLIPS_GRAD, words::CLIPS_Y};
    for (unsigned i = 0; i < 12; i++) {
        #pragma HLS UNROLL
        found.word[i] = i < 6 ? words::get_count(grad[first + places[i]]) : words::count_t(0);
    }
    found.word[11] = words::get_count(grad[first + words::TOO_CLOSE]);
}

template <class dot_T, class force_T> void add_counts(const dot_T &dot, const force_T &force, counts &found) {
    #pragma HLS INLINE
    for (unsigned i = 0; i < 2; i++) {
        #pragma HLS UNROLL
        found.word[6 + i] += words::get_count(dot[8 + i]);
    }
    for (unsigned i = 0; i < 3; i++) {
        #pragma HLS UNROLL
        found.word[8 + i] += words::get_count(force[3 + i]);
    }
}

} // namespace packets

// A row of the answer has 128 bits: header and energy, then a force each, zeros, and two rows of counts and checksum.
template <class CONFIG_T, class data_T, class grad_T, class energy_T, class dot_T, class force_T, class res_T>
void packet_out(hls::stream<data_T> &neighbors, hls::stream<grad_T> &grads, hls::stream<energy_T> &energies,
                hls::stream<dot_T> &dots, hls::stream<force_T> &forces, hls::stream<res_T> &res) {
    const data_T atom = neighbors.read();
    const grad_T grad = grads.read();
    const energy_T energy = energies.read();
    const ap_uint<32> control = atom[words::CONTROL], count = atom[words::COUNT], sequence = atom[words::SEQUENCE];
    const ap_uint<32> status = control & 255, kind = ((control >> 8) & 255) | 128;
    const bool done = status == 0;
    const ap_uint<64> total = done ? ap_uint<64>(words::raw(energy[0])) : ap_uint<64>(0);
    const unsigned last = (2 * count.to_uint() + 6 + 7) / 8 * 4 - 1;
    packets::counts clips;
    packets::start_counts<CONFIG_T::n_words>(grad, clips);
    unsigned crc = packets::CRC_START;
    res_T beat;
    for (unsigned row = 0; row < 4 * CONFIG_T::n_beats; row++) {
        #pragma HLS PIPELINE II=1
        ap_uint<32> word[4] = {0, 0, 0, 0};
        if (row == 0) {
            word[0] = ap_uint<32>(0x564E) | kind << 16 | status << 24;
            word[1] = count | ap_uint<32>(1 << 16);
            word[2] = total;
            word[3] = total >> 32;
        } else if (row <= CONFIG_T::n_neighbors) {
            neighbors.read();
            const dot_T dot = dots.read();
            const force_T force = forces.read();
            packets::add_counts(dot, force, clips);
            for (unsigned axis = 0; axis < 3; axis++) {
                #pragma HLS UNROLL
                word[axis] = row <= count ? ap_uint<32>(words::raw(force[axis])) : ap_uint<32>(0);
            }
        }
        if (row + 1 == last || row == last) {
            const unsigned first = row == last ? 8 : 0;
            for (unsigned i = 0; i < 4; i++) {
                #pragma HLS UNROLL
                if (done && first + 2 * i < 12)
                    word[i] = ap_uint<32>(clips.word[first + 2 * i]) | ap_uint<32>(clips.word[first + 2 * i + 1]) << 16;
            }
            if (row == last)
                word[2] = sequence;
        }
        for (unsigned i = 0; i < 4; i++) {
            #pragma HLS UNROLL
            beat[4 * (row % 4) + i] = word[i];
        }
        if (row % 4 == 3) {
            crc = packets::crc32_beat(crc, beat);
            if (row == last)
                beat[15] = ~crc;
            res.write(beat);
        }
    }
}

} // namespace nnet

#endif
