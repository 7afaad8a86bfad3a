// fitting_layer with its output fed back: g_l is h_l, word for word, so the backward pass of every atom follows.
`default_nettype none

module fitting_layer_harness #(
    parameter int unsigned INPUTS = 8,
    parameter int unsigned OUTPUTS = 8,
    parameter int unsigned LANES = 2,
    parameter int unsigned TYPES = 2,
    parameter int unsigned SEG_BITS = 9,
    parameter bit SKIP = 0,
    parameter int unsigned WAIT = 32,
    localparam int unsigned TYPE_W = TYPES > 1 ? $clog2(TYPES) : 1,
    localparam int unsigned CFG_W = LANES * 16 > 48 ? LANES * 16 : 48
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    input  wire logic                  cfg_valid,
    input  wire logic [1:0]            cfg_part,
    input  wire logic [15:0]           cfg_output,
    input  wire logic [15:0]           cfg_row,
    input  wire logic [CFG_W-1:0]      cfg_data,
    input  wire logic [5:0]            z_shift,
    input  wire logic [5:0]            tanh_shift,
    input  wire logic [5:0]            g_shift,
    input  wire logic [5:0]            skip_shift,
    input  wire logic [31:0]           clips,        // of the layers behind
    input  wire logic                  s_valid,
    output logic                       s_ready,
    input  wire logic [TYPE_W-1:0]     s_type,
    input  wire logic [LANES*16-1:0]   s_word,
    output logic                       m_valid,
    input  wire logic                  m_ready,
    output logic                       m_last,
    output logic [LANES*16-1:0]        m_word,
    output logic [31:0]                m_clips
);

  logic h_valid, h_ready, h_last, g_valid, g_ready, g_last;
  logic [TYPE_W-1:0] h_type;
  logic [LANES*16-1:0] h_word, g_word;
  logic [31:0] layer_clips;
  wire unused = &{1'b0, h_type};
  assign m_clips = m_last ? layer_clips : '0;
  stream_fifo #(
      .WIDTH(1 + LANES * 16),
      .DEPTH(4)
  ) i_back (
      .clk,
      .rst,
      .s_valid(h_valid),
      .s_ready(h_ready),
      .s_data ({h_last, h_word}),
      .m_valid(g_valid),
      .m_ready(g_ready),
      .m_data ({g_last, g_word})
  );
  fitting_layer #(
      .INPUTS  (INPUTS),
      .OUTPUTS (OUTPUTS),
      .LANES   (LANES),
      .TYPES   (TYPES),
      .SEG_BITS(SEG_BITS),
      .SKIP    (SKIP),
      .WAIT    (WAIT)
  ) i_dut (
      .clk,
      .rst,
      .cfg_valid,
      .cfg_part,
      .cfg_output,
      .cfg_row,
      .cfg_data,
      .z_shift,
      .tanh_shift,
      .g_shift,
      .skip_shift,
      .s_valid,
      .s_ready,
      .s_type,
      .s_word,
      .h_valid,
      .h_ready,
      .h_last,
      .h_type,
      .h_word,
      .g_valid,
      .g_ready,
      .g_last,
      .g_word,
      .g_clips(clips),
      .m_valid,
      .m_ready,
      .m_last,
      .m_word,
      .m_clips(layer_clips)
  );

endmodule

`default_nettype wire
