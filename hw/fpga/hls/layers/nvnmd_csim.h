// C simulation: loads memory ports and plays packets through the top function. Not part of the hardware.
#ifndef NVNMD_CSIM_H_
#define NVNMD_CSIM_H_

#ifndef __SYNTHESIS__

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "nvnmd_words.h"

namespace nvnmd_csim {

// Sets a port from raw words in row order; words are kept modulo their width. False when the count is not the port's.
template <class word_T, unsigned words, std::size_t rows>
bool load(nnet::array<word_T, words> (&port)[rows], const std::int64_t *values, std::size_t count) {
    if (count != rows * words)
        return false;
    for (std::size_t row = 0; row < rows; row++)
        for (unsigned i = 0; i < words; i++)
            port[row][i] = nnet::words::from_raw<word_T>(ap_int<word_T::width>(ap_int<64>(values[row * words + i])));
    return true;
}

template <class beat_T> void push(const std::uint32_t *words, unsigned beats, hls::stream<beat_T> &stream) {
    for (unsigned beat = 0; beat < beats; beat++) {
        beat_T row;
        for (unsigned i = 0; i < beat_T::size; i++)
            row[i] = words[beat * beat_T::size + i];
        stream.write(row);
    }
}

template <class beat_T> void pull(hls::stream<beat_T> &stream, unsigned beats, std::uint32_t *words) {
    for (unsigned beat = 0; beat < beats; beat++) {
        const beat_T row = stream.read();
        for (unsigned i = 0; i < beat_T::size; i++)
            words[beat * beat_T::size + i] = row[i].to_uint();
    }
}

} // namespace nvnmd_csim

#endif
#endif
