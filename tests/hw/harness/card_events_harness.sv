// card_events as a stream: a beat is what happens in a cycle, its reset included.
`default_nettype none

module card_events_harness (
    input  wire logic        clk,
    input  wire logic        rst,
    input  wire logic        s_valid,
    output logic             s_ready,
    input  wire logic        s_reset,
    input  wire logic        s_answered,
    input  wire logic [7:0]  s_status,
    input  wire logic        s_write,
    input  wire logic [7:0]  s_mask,
    output logic             m_valid,
    input  wire logic        m_ready,
    output logic [7:0]       m_flags,
    output logic             m_level
);

  assign m_valid = s_valid;
  assign s_ready = m_ready;
  card_events i_dut (
      .clk,
      .rst          (rst || (s_valid && s_reset)),
      .answered     (s_valid && s_answered),
      .answer_status(s_status),
      .write        (s_valid && s_write),
      .mask         (s_mask),
      .flags        (m_flags),
      .level        (m_level)
  );

endmodule

`default_nettype wire
