// interrupt_request as a stream: a beat is a cycle's level and acknowledgement.
`default_nettype none

module interrupt_request_harness (
    input  wire logic  clk,
    input  wire logic  rst,
    input  wire logic  s_valid,
    output logic       s_ready,
    input  wire logic  s_level,
    input  wire logic  s_ack,
    output logic       m_valid,
    input  wire logic  m_ready,
    output logic       m_request
);

  assign m_valid = s_valid;
  assign s_ready = m_ready;
  wire unused = &{1'b0, rst};
  interrupt_request i_dut (
      .clk,
      .level  (s_valid && s_level),
      .request(m_request),
      .ack    (s_valid && s_ack)
  );

endmodule

`default_nettype wire
