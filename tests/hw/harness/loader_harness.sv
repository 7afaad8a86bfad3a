// loader as a stream: a beat for every row that it writes and for every packet that it has dealt with. Nothing waits, so
// the sink may not stall.
`default_nettype none

module loader_harness #(
    parameter int unsigned LANES = 1,
    parameter int unsigned DATA_W = 96,
    parameter int unsigned ROW_WORDS = 2,
    parameter logic [31:0] IDENTITY = 32'h0
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    input  wire logic                  s_valid,
    output logic                       s_ready,
    input  wire logic                  s_last,
    input  wire logic [LANES-1:0]      s_none,
    input  wire logic [7:0]            s_kind,
    input  wire logic [LANES*64-1:0]   s_word,
    output logic                       m_valid,
    input  wire logic                  m_ready,
    output logic                       m_write,
    output logic [7:0]                 m_target,
    output logic [15:0]                m_index,
    output logic [15:0]                m_row,
    output logic [DATA_W-1:0]          m_data,
    output logic                       m_done,
    output logic                       m_refused,
    output logic                       m_model,
    output logic [31:0]                m_tag
);

  logic done, ended, refused, model;
  logic [31:0] tag;
  always_ff @(posedge clk) ended <= s_valid && s_ready && s_last && !rst;
  assign m_done    = ended && done;
  assign m_refused = m_done && refused;
  assign m_model   = m_done && model;
  assign m_tag     = m_done ? tag : '0;
  assign m_valid   = m_write || m_done;
  wire unused = &{1'b0, m_ready};
  loader #(
      .LANES    (LANES),
      .DATA_W   (DATA_W),
      .ROW_WORDS(ROW_WORDS),
      .IDENTITY (IDENTITY)
  ) i_dut (
      .clk,
      .rst,
      .s_valid,
      .s_ready,
      .s_last,
      .s_none,
      .s_kind,
      .s_word,
      .done,
      .refused,
      .model,
      .tag,
      .cfg_valid (m_write),
      .cfg_target(m_target),
      .cfg_index (m_index),
      .cfg_row   (m_row),
      .cfg_data  (m_data)
  );

endmodule

`default_nettype wire
