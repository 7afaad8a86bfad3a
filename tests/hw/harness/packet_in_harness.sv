// packet_in as one stream: the header of a packet, then the beats of its body if it was sound.
`default_nettype none

module packet_in_harness #(
    parameter int unsigned LANES = 1,
    parameter int unsigned TYPES = 4,
    parameter int unsigned MAX_BODY = 64,
    parameter int unsigned DEPTH = 256,
    localparam int unsigned TYPE_W = TYPES > 1 ? $clog2(TYPES) : 1
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    input  wire logic                  s_valid,
    output logic                       s_ready,
    input  wire logic                  s_last,
    input  wire logic [LANES*64-1:0]   s_data,
    output logic                       m_valid,
    input  wire logic                  m_ready,
    output logic                       m_body,      // a beat of the body; else a header
    output logic [7:0]                 m_status,
    output logic [7:0]                 m_kind,
    output logic [TYPE_W-1:0]          m_type,
    output logic [15:0]                m_count,
    output logic [31:0]                m_sequence,
    output logic                       m_end,
    output logic                       m_last,
    output logic [LANES-1:0]           m_none,
    output logic [LANES*64-1:0]        m_word
);

  logic h_valid, b_valid, b_last, h_end;
  logic [7:0] status, kind;
  logic [TYPE_W-1:0] type_word;
  logic [15:0] count;
  logic [31:0] sequence_word;
  logic [LANES-1:0] none;
  logic [LANES*64-1:0] word;
  assign m_valid    = m_body ? b_valid : h_valid;
  assign m_status   = m_body ? '0 : status;
  assign m_kind     = m_body ? '0 : kind;
  assign m_type     = m_body ? '0 : type_word;
  assign m_count    = m_body ? '0 : count;
  assign m_sequence = m_body ? '0 : sequence_word;
  assign m_end      = !m_body && h_end;
  assign m_last     = m_body && b_last;
  assign m_none     = m_body ? none : '0;
  assign m_word     = m_body ? word : '0;
  always_ff @(posedge clk) begin
    if (m_valid && m_ready) m_body <= m_body ? !b_last : status == '0;
    if (rst) m_body <= 1'b0;
  end
  packet_in #(
      .LANES   (LANES),
      .TYPES   (TYPES),
      .MAX_BODY(MAX_BODY),
      .DEPTH   (DEPTH)
  ) i_dut (
      .clk,
      .rst,
      .s_valid,
      .s_ready,
      .s_last,
      .s_data,
      .h_valid,
      .h_ready   (m_ready && !m_body),
      .h_status  (status),
      .h_kind    (kind),
      .h_type    (type_word),
      .h_count   (count),
      .h_sequence(sequence_word),
      .h_end,
      .b_valid,
      .b_ready   (m_ready && m_body),
      .b_last,
      .b_none    (none),
      .b_word    (word)
  );

endmodule

`default_nettype wire
