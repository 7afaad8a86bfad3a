// What the host should hear of at once: sticky flags of what has happened, and a level that asks for an interrupt while an
// enabled one stands. Bit 0 says that the card was reset, bit n that an answer with status n was given (docs/stream.md,
// "Events"). A write chooses the enabled flags and forgets those that stand.
`default_nettype none

module card_events (
    input  wire logic        clk,
    input  wire logic        rst,
    input  wire logic        answered,
    input  wire logic [7:0]  answer_status,
    input  wire logic        write,
    input  wire logic [7:0]  mask,          // enabled flags, with write
    output logic [7:0]       flags,
    output logic             level
);

  // A reset keeps the mask, or nobody would hear of it; a new bitstream enables nothing.
  logic [7:0] enabled;
  initial enabled = '0;

  logic [7:0] happened;
  always_comb begin
    happened = '0;
    for (int unsigned n = 1; n < 8; n++) happened[n] = answered && answer_status == 8'(n);
  end

  // After a write the level is low for some cycles whatever happens, so that a slower or later clock sees it fall.
  logic [3:0] quiet;
  always_ff @(posedge clk) begin
    flags <= (write ? '0 : flags) | happened;
    if (write) enabled <= mask;
    if (write) quiet <= '1;
    else if (quiet != '0) quiet <= quiet - 4'd1;
    level <= |(flags & enabled) && !write && quiet == '0;
    if (rst) begin
      flags <= 8'd1;
      quiet <= '0;
    end
  end

endmodule

`default_nettype wire
