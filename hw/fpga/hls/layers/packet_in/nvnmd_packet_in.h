// Checks packets of docs/stream.md: header, types, checksum. Passes their beats on behind a beat that says what was found.
#ifndef NVNMD_PACKET_IN_H_
#define NVNMD_PACKET_IN_H_

#include "nvnmd_crc32.h"
#include "nvnmd_words.h"

namespace nnet {
namespace packets {

enum status { OK, NO_MODEL, BAD_CHECKSUM, BAD_HEADER, TOO_LONG, BAD_TYPE, TRUNCATED, BAD_LOAD };
enum kind { ATOM = 1, LOAD_END = 4 };

struct header {
    ap_uint<8> kind, center;
    ap_uint<16> body;
    bool right;
};

inline header read_header(const ap_uint<32> &low, const ap_uint<32> &high) {
    #pragma HLS INLINE
    header found;
    found.kind = low.range(23, 16);
    found.center = low.range(31, 24);
    found.body = high.range(15, 0);
    found.right = low.range(15, 0) == 0x564E && high.range(31, 16) == 1 && found.kind >= ATOM && found.kind <= LOAD_END;
    return found;
}

// The first reason to refuse a packet, in the order of the card.
inline ap_uint<8> judge(const header &head, bool fits, bool sum_right, unsigned types, bool known) {
    #pragma HLS INLINE
    if (!head.right)
        return BAD_HEADER;
    if (!fits)
        return TOO_LONG;
    if (!sum_right)
        return BAD_CHECKSUM;
    if (head.kind != ATOM)
        return BAD_LOAD;
    if (types == 0)
        return NO_MODEL;
    return known ? OK : BAD_TYPE;
}

} // namespace packets

// The first beat of the result: status, kind, type of the atom, neighbors, sequence number. Constants: types held by the model
// that is loaded, 0 when there is none.
template <class CONFIG_T, class data_T, class res_T, class constant_T>
void packet_in(hls::stream<data_T> &data, hls::stream<res_T> &res, constant_T constants[CONFIG_T::n_constants]) {
    data_T beats[CONFIG_T::n_beats];
    const unsigned types = constants[0][0];
    packets::header head;
    unsigned crc = packets::CRC_START, last = 0, sum = 0, sequence = 0;
    bool fits = false, known = true;
    for (unsigned at = 0; at < CONFIG_T::n_beats; at++) {
        #pragma HLS PIPELINE II=1
        const data_T beat = data.read();
        beats[at] = beat;
        if (at == 0) {
            head = packets::read_header(beat[0], beat[1]);
            fits = head.body <= CONFIG_T::n_neighbors;
            last = fits ? (unsigned(head.body) + 1) / 8 : 0;
            known = head.center < types;
        }
        for (unsigned i = 0; i < 8; i++) {
            #pragma HLS UNROLL
            const unsigned word = 8 * at + i;
            const bool there = word >= 1 && word <= head.body;
            known = known && (!there || beat[2 * i + 1] >> 22 < types);
        }
        data_T summed;
        summed = beat;
        if (at == last) {
            sequence = beat[14].to_uint();
            sum = beat[15].to_uint();
            summed[15] = 0;
        }
        if (at <= last)
            crc = packets::crc32_beat(crc, summed);
    }

    const ap_uint<8> status = packets::judge(head, fits, ~crc == sum, types, known);
    const bool numbered = status != packets::BAD_HEADER && status != packets::TOO_LONG && status != packets::BAD_CHECKSUM;
    const bool done = status == packets::OK;
    res_T found;
    for (unsigned i = 5; i < 16; i++) {
        #pragma HLS UNROLL
        found[i] = 0;
    }
    found[0] = status;
    found[1] = head.kind;
    found[2] = done ? head.center : ap_uint<8>(0);
    found[3] = done ? head.body : ap_uint<16>(0);
    found[4] = numbered ? sequence : 0;
    res.write(found);
    for (unsigned at = 0; at < CONFIG_T::n_beats; at++) {
        #pragma HLS PIPELINE II=1
        res_T beat;
        for (unsigned i = 0; i < 16; i++) {
            #pragma HLS UNROLL
            beat[i] = beats[at][i];
        }
        res.write(beat);
    }
}

} // namespace nnet

#endif
