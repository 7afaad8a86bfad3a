// First-in, first-out buffer between two streams: a beat may leave one cycle after it entered.
`default_nettype none

module stream_fifo #(
    parameter int unsigned WIDTH = 32,   // bits of a beat
    parameter int unsigned DEPTH = 16    // beats held, a power of two, at least 2
) (
    input  wire logic             clk,
    input  wire logic             rst,
    input  wire logic             s_valid,
    output logic                  s_ready,
    input  wire logic [WIDTH-1:0] s_data,
    output logic                  m_valid,
    input  wire logic             m_ready,
    output logic [WIDTH-1:0]      m_data
);

  localparam int unsigned AT_W = $clog2(DEPTH);
  logic [WIDTH-1:0] memory[DEPTH];
  logic [AT_W-1:0] write_at, read_at;
  logic [AT_W:0] count;
  logic push, pop;

  assign s_ready = count != (AT_W + 1)'(DEPTH);
  assign m_valid = count != '0;
  assign m_data  = memory[read_at];
  assign push    = s_valid && s_ready;
  assign pop     = m_valid && m_ready;

  always_ff @(posedge clk) begin
    if (push) memory[write_at] <= s_data;
    if (push) write_at <= write_at + AT_W'(1);
    if (pop) read_at <= read_at + AT_W'(1);
    count <= count + (AT_W + 1)'(push) - (AT_W + 1)'(pop);
    if (rst) begin
      write_at <= '0;
      read_at  <= '0;
      count    <= '0;
    end
  end

endmodule

`default_nettype wire
