// Joins FACTOR narrow beats into one wide beat, lowest first. A last beat ends a wide beat only where it fills it; streams
// of this protocol are whole wide beats (docs/stream.md).
`default_nettype none

module stream_widen #(
    parameter int unsigned WIDTH = 128,    // bits of a narrow beat
    parameter int unsigned FACTOR = 4      // narrow beats in a wide one
) (
    input  wire logic                       clk,
    input  wire logic                       rst,
    input  wire logic                       s_valid,
    output logic                            s_ready,
    input  wire logic                       s_last,
    input  wire logic                       s_end,     // a second flag, treated as the first
    input  wire logic [WIDTH-1:0]           s_data,
    output logic                            m_valid,
    input  wire logic                       m_ready,
    output logic                            m_last,
    output logic                            m_end,
    output logic [FACTOR*WIDTH-1:0]         m_data
);

  localparam int unsigned AT_W = FACTOR > 1 ? $clog2(FACTOR) : 1;
  logic [AT_W-1:0] at;
  logic full;
  assign full    = at == AT_W'(FACTOR - 1);
  assign s_ready = !m_valid || m_ready;

  always_ff @(posedge clk) begin
    if (s_ready) m_valid <= s_valid && full;
    if (s_valid && s_ready) begin
      at     <= full ? '0 : at + AT_W'(1);
      m_last <= s_last;
      m_end  <= s_end;
      m_data <= (FACTOR * WIDTH)'({s_data, m_data} >> WIDTH);
    end
    if (rst) begin
      at      <= '0;
      m_valid <= 1'b0;
    end
  end

endmodule

`default_nettype wire
