// CRC-32 (IEEE 802.3, as zlib computes it) over one beat, lowest bit first. Start from all ones and invert the end.
// Every bit of the result is the parity of some bits of state and data. Which ones is worked out before synthesis, so that
// tools build trees of XOR and need not untangle a chain of one step a bit.
`default_nettype none

module crc32_step #(
    parameter int unsigned BITS = 64   // bits of a beat
) (
    input  wire logic [31:0]      state,
    input  wire logic [BITS-1:0]  data,
    output logic [31:0]           next
);

  localparam int unsigned INPUTS = BITS + 32;
  localparam logic [31:0] POLYNOMIAL = 32'hEDB8_8320;

  // Field b of the result: which inputs bit b depends on, {data, state}.
  function automatic logic [32*INPUTS-1:0] dependence();
    logic [INPUTS-1:0] fed;
    logic [32*INPUTS-1:0] spread;
    for (int unsigned b = 0; b < 32; b++) dependence[b*INPUTS+:INPUTS] = INPUTS'(1) << b;
    for (int unsigned i = 0; i < BITS; i++) begin
      fed = dependence[INPUTS-1:0] ^ (INPUTS'(1) << (32 + i));
      for (int unsigned b = 0; b < 32; b++) spread[b*INPUTS+:INPUTS] = POLYNOMIAL[b] ? fed : '0;
      dependence = (dependence >> INPUTS) ^ spread;
    end
  endfunction

  localparam logic [32*INPUTS-1:0] DEPENDS = dependence();
  for (genvar b = 0; b < 32; b++) begin : g_bit
    assign next[b] = ^({data, state} & DEPENDS[b*INPUTS+:INPUTS]);
  end

endmodule

`default_nettype wire
