// Splits a wide beat into FACTOR narrow beats, lowest first; the last of a last beat is last.
`default_nettype none

module stream_narrow #(
    parameter int unsigned WIDTH = 64,     // bits of a narrow beat
    parameter int unsigned FACTOR = 8      // narrow beats in a wide one
) (
    input  wire logic                       clk,
    input  wire logic                       rst,
    input  wire logic                       s_valid,
    output logic                            s_ready,
    input  wire logic                       s_last,
    input  wire logic [FACTOR*WIDTH-1:0]    s_data,
    output logic                            m_valid,
    input  wire logic                       m_ready,
    output logic                            m_last,
    output logic [WIDTH-1:0]                m_data
);

  localparam int unsigned LEFT_W = $clog2(FACTOR + 1);
  logic [LEFT_W-1:0] left;
  logic [FACTOR*WIDTH-1:0] held;
  logic last, ends;
  assign ends    = left == LEFT_W'(1);
  assign s_ready = left == '0 || (ends && m_ready);
  assign m_valid = left != '0;
  assign m_last  = last && ends;
  assign m_data  = held[WIDTH-1:0];

  always_ff @(posedge clk) begin
    if (s_valid && s_ready) begin
      left <= LEFT_W'(FACTOR);
      held <= s_data;
      last <= s_last;
    end else if (m_valid && m_ready) begin
      left <= left - LEFT_W'(1);
      held <= held >> WIDTH;
    end
    if (rst) left <= '0;
  end

endmodule

`default_nettype wire
