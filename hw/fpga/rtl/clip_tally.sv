// Counts flags over the beats of an atom; the total with the beat at hand is there in the same cycle.
`default_nettype none

module clip_tally #(
    parameter int unsigned FLAGS = 4,     // flags a beat
    parameter int unsigned COUNT_W = 16   // bits of a count; larger totals must not occur
) (
    input  wire logic               clk,
    input  wire logic               rst,
    input  wire logic               take,   // a beat passes
    input  wire logic               last,   // it is the last of its atom
    input  wire logic [FLAGS-1:0]   flags,
    output logic [COUNT_W-1:0]      total
);

  logic [COUNT_W-1:0] held;
  always_comb begin
    total = held;
    for (int unsigned i = 0; i < FLAGS; i++) total = total + COUNT_W'(flags[i]);
  end

  always_ff @(posedge clk) begin
    if (take) held <= last ? '0 : total;
    if (rst) held <= '0;
  end

endmodule

`default_nettype wire
