// clip_tally as a stream: a total for every beat of flags.
`default_nettype none

module clip_tally_harness #(
    parameter int unsigned FLAGS = 4,
    parameter int unsigned COUNT_W = 16
) (
    input  wire logic              clk,
    input  wire logic              rst,
    input  wire logic              s_valid,
    output logic                   s_ready,
    input  wire logic [FLAGS-1:0]  s_flags,
    input  wire logic              s_last,
    output logic                   m_valid,
    input  wire logic              m_ready,
    output logic [COUNT_W-1:0]     m_total
);

  assign m_valid = s_valid;
  assign s_ready = m_ready;
  clip_tally #(
      .FLAGS  (FLAGS),
      .COUNT_W(COUNT_W)
  ) i_dut (
      .clk,
      .rst,
      .take (s_valid && m_ready),
      .last (s_last),
      .flags(s_flags),
      .total(m_total)
  );

endmodule

`default_nettype wire
