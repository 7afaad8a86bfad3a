// CRC-32 of Ethernet and zlib over beats of 512 bits. The checksum is linear, so that only 32 parities depend on the beat before;
// the rest of a step is feed-forward and can be pipelined.
#ifndef NVNMD_CRC32_H_
#define NVNMD_CRC32_H_

#include "ap_int.h"

namespace nnet {
namespace packets {

// Row i of the matrix that sixteen words of zeros apply to the checksum.
const unsigned CRC_OVER_BEAT[32] = {
    0xE5FE1C77u, 0xCBFC38EEu, 0x97F871DDu, 0x2FF0E3BAu, 0x5FE1C775u, 0xBFC38EEAu, 0x9A7901A2u, 0x34F20345u,
    0x69E4068Bu, 0x36361160u, 0x89923EB7u, 0x13247D6Fu, 0x2648FADEu, 0x4C91F5BDu, 0x9923EB7Au, 0x3247D6F4u,
    0x8171B19Fu, 0x02E3633Eu, 0x05C6C67Du, 0x0B8D8CFAu, 0xF2E50583u, 0x00341771u, 0xE5963294u, 0xCB2C6528u,
    0x73A6D627u, 0x02B3B039u, 0x05676073u, 0xEF30DC91u, 0x3B9FA554u, 0x773F4AA8u, 0x0B808926u, 0xF2FF0E3Bu};

const unsigned CRC_START = 0xFFFFFFFFu;

inline unsigned crc32_forward(unsigned crc) {
    #pragma HLS INLINE
    unsigned next = 0;
    for (unsigned i = 0; i < 32; i++) {
        #pragma HLS UNROLL
        unsigned odd = crc & CRC_OVER_BEAT[i];
        odd ^= odd >> 16;
        odd ^= odd >> 8;
        odd ^= odd >> 4;
        odd ^= odd >> 2;
        odd ^= odd >> 1;
        next |= (odd & 1u) << i;
    }
    return next;
}

template <class beat_T> unsigned crc32_words(const beat_T &beat) {
    #pragma HLS INLINE
    unsigned crc = 0;
    for (unsigned i = 0; i < 16; i++) {
        #pragma HLS UNROLL
        crc ^= beat[i].to_uint();
        for (unsigned bit = 0; bit < 32; bit++) {
            #pragma HLS UNROLL
            crc = (crc >> 1) ^ ((crc & 1u) ? 0xEDB88320u : 0u);
        }
    }
    return crc;
}

template <class beat_T> unsigned crc32_beat(unsigned crc, const beat_T &beat) {
    #pragma HLS INLINE
    return crc32_forward(crc) ^ crc32_words(beat);
}

} // namespace packets
} // namespace nnet

#endif
