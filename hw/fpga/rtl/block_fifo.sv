// First-in, first-out buffer in block memory: a beat may leave two cycles after it entered. Holds DEPTH beats and the
// one that waits at the output.
`default_nettype none

module block_fifo #(
    parameter int unsigned WIDTH = 72,   // bits of a beat
    parameter int unsigned DEPTH = 512   // beats held in memory, a power of two, at least 2
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
  (* ram_style = "block" *) logic [WIDTH-1:0] memory[DEPTH];
  logic [AT_W-1:0] write_at, read_at;
  logic [AT_W:0] count;
  logic push, fetch;

  assign s_ready = count != (AT_W + 1)'(DEPTH);
  assign push    = s_valid && s_ready;
  assign fetch   = count != '0 && (m_ready || !m_valid);

  always_ff @(posedge clk) begin
    if (push) memory[write_at] <= s_data;
    if (fetch) m_data <= memory[read_at];
  end

  always_ff @(posedge clk) begin
    if (push) write_at <= write_at + AT_W'(1);
    if (fetch) read_at <= read_at + AT_W'(1);
    if (m_ready || !m_valid) m_valid <= fetch;
    count <= count + (AT_W + 1)'(push) - (AT_W + 1)'(fetch);
    if (rst) begin
      write_at <= '0;
      read_at  <= '0;
      count    <= '0;
      m_valid  <= 1'b0;
    end
  end

endmodule

`default_nettype wire
