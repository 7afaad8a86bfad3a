// model_constants as a stream: every beat writes a word, and shows all constants after it.
`default_nettype none

module constants_harness #(
    parameter int unsigned LAYERS = 3
) (
    input  wire logic                       clk,
    input  wire logic                       rst,
    input  wire logic                       s_valid,
    output logic                            s_ready,
    input  wire logic                       s_write,
    input  wire logic [15:0]                s_row,
    input  wire logic [31:0]                s_word,
    output logic                            m_valid,
    input  wire logic                       m_ready,
    output logic [24:0]                     m_u_min,
    output logic [9:0]                      m_guard_end,
    output logic                            m_gated,
    output logic [17*6-1:0]                 m_shifts,
    output logic [5*6-1:0]                  m_align,
    output logic [LAYERS*6-1:0]             m_z_shift,
    output logic [LAYERS*6-1:0]             m_g_shift,
    output logic [LAYERS*6-1:0]             m_skip_shift
);

  assign s_ready = m_ready || !m_valid;
  always_ff @(posedge clk) begin
    if (s_ready) m_valid <= s_valid;
    if (rst) m_valid <= 1'b0;
  end
  model_constants #(
      .LAYERS(LAYERS)
  ) i_dut (
      .clk,
      .cfg_valid(s_valid && s_ready && s_write),
      .cfg_row  (s_row),
      .cfg_data (s_word),
      .u_min     (m_u_min),
      .guard_end (m_guard_end),
      .gated     (m_gated),
      .shifts    (m_shifts),
      .align     (m_align),
      .z_shift   (m_z_shift),
      .g_shift   (m_g_shift),
      .skip_shift(m_skip_shift)
  );

endmodule

`default_nettype wire
