// crc32_step as a stream, for its test.
`default_nettype none

module crc32_harness #(
    parameter int unsigned BITS = 64
) (
    input  wire logic             clk,
    input  wire logic             rst,
    input  wire logic             s_valid,
    output logic                  s_ready,
    input  wire logic [31:0]      s_state,
    input  wire logic [BITS-1:0]  s_data,
    output logic                  m_valid,
    input  wire logic             m_ready,
    output logic [31:0]           m_next
);

  assign m_valid = s_valid;
  assign s_ready = m_ready;
  wire unused = &{1'b0, clk, rst};
  crc32_step #(
      .BITS(BITS)
  ) i_dut (
      .state(s_state),
      .data (s_data),
      .next (m_next)
  );

endmodule

`default_nettype wire
