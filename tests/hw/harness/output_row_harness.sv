// output_row as one stream: g_L, and E_net with the last beat of its atom.
`default_nettype none

module output_row_harness #(
    parameter int unsigned INPUTS = 8,
    parameter int unsigned LANES = 3,
    parameter int unsigned TYPES = 2,
    localparam int unsigned ROWS = TYPES * ((INPUTS + LANES - 1) / LANES),
    localparam int unsigned ROW_W = ROWS > 1 ? $clog2(ROWS) : 1,
    localparam int unsigned TYPE_W = TYPES > 1 ? $clog2(TYPES) : 1
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    input  wire logic                  cfg_valid,
    input  wire logic                  cfg_is_bias,
    input  wire logic [ROW_W-1:0]      cfg_row,
    input  wire logic [LANES*16-1:0]   cfg_weight,
    input  wire logic [31:0]           cfg_bias,
    input  wire logic [5:0]            e_shift,
    input  wire logic                  s_valid,
    output logic                       s_ready,
    input  wire logic                  s_last,
    input  wire logic [TYPE_W-1:0]     s_type,
    input  wire logic [LANES*16-1:0]   s_word,
    output logic                       m_valid,
    input  wire logic                  m_ready,
    output logic                       m_last,
    output logic [LANES*16-1:0]        m_grad,
    output logic [31:0]                m_energy
);

  logic g_valid, e_valid, complete;
  logic signed [31:0] e_word;
  assign complete = !m_last || e_valid;
  assign m_valid  = g_valid && complete;
  assign m_energy = m_last ? e_word : '0;
  output_row #(
      .INPUTS  (INPUTS),
      .LANES   (LANES),
      .TYPES   (TYPES),
      .ENERGIES(8)
  ) i_dut (
      .clk,
      .rst,
      .cfg_valid,
      .cfg_is_bias,
      .cfg_row,
      .cfg_weight,
      .cfg_bias,
      .e_shift,
      .s_valid,
      .s_ready,
      .s_last,
      .s_type,
      .s_word,
      .g_valid,
      .g_ready(m_ready && complete),
      .g_last (m_last),
      .g_word (m_grad),
      .e_valid,
      .e_ready(m_valid && m_ready && m_last),
      .e_word
  );

endmodule

`default_nettype wire
