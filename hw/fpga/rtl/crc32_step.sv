// CRC-32 (IEEE 802.3, as zlib computes it) over one beat, lowest bit first. Start from all ones and invert the end.
`default_nettype none

module crc32_step #(
    parameter int unsigned BITS = 64   // bits of a beat
) (
    input  wire logic [31:0]      state,
    input  wire logic [BITS-1:0]  data,
    output logic [31:0]           next
);

  always_comb begin
    next = state;
    for (int unsigned i = 0; i < BITS; i++) next = (next >> 1) ^ (next[0] ^ data[i] ? 32'hEDB8_8320 : 32'h0);
  end

endmodule

`default_nettype wire
