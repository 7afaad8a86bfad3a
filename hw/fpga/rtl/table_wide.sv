// Piecewise quadratic table, wide form (docs/numerics.md, section 3): radial, angular and guard functions.
// One position a cycle, latency 5, as table_narrow. The coefficient memory is written at run time.
`default_nettype none

module table_wide #(
    parameter int unsigned ROWS = 1152,     // segments of all tables together
    parameter int unsigned VALUE_W = 27,    // bits of a value and of c0: 27, or 32 for the guard
    localparam int unsigned SLOPE_W = 27,   // bits of a slope, of c1 and of c2
    localparam int unsigned ROW_W = ROWS > 1 ? $clog2(ROWS) : 1,
    localparam int unsigned COEF_W = VALUE_W + 2 * SLOPE_W
) (
    input  wire logic                       clk,
    input  wire logic                       rst,
    input  wire logic                       cfg_valid,  // write one row
    input  wire logic [ROW_W-1:0]           cfg_row,
    input  wire logic [COEF_W-1:0]          cfg_coef,   // {c2, c1, c0}
    input  wire logic [5:0]                 shift,      // slope shift k, constant while beats are in flight
    input  wire logic                       s_valid,
    output logic                            s_ready,
    input  wire logic [ROW_W-1:0]           s_row,
    input  wire logic [14:0]                s_t,        // position in the segment, 15 fraction bits
    output logic                            m_valid,
    input  wire logic                       m_ready,
    output logic signed [VALUE_W-1:0]       m_value,
    output logic signed [SLOPE_W-1:0]       m_slope
);

  localparam int unsigned STAGES = 5;
  logic advance;
  logic [STAGES-1:0] valid;
  assign advance = m_ready || !m_valid;
  assign s_ready = advance;
  assign m_valid = valid[STAGES-1];

  logic [COEF_W-1:0] memory [ROWS];
  logic [COEF_W-1:0] row;
  always_ff @(posedge clk) begin
    if (cfg_valid) memory[cfg_row] <= cfg_coef;
    if (advance) row <= memory[s_row];
  end

  logic [14:0] t_1, t_2, t_3;
  logic signed [SLOPE_W-1:0] c1_2, q_2, d_3, slope_3, slope_4;
  logic signed [VALUE_W-1:0] c0_2, c0_3, c0_4;
  logic signed [SLOPE_W+15:0] product_4;

  always_ff @(posedge clk) begin
    if (advance) begin
      valid <= {valid[STAGES-2:0], s_valid};
      t_1   <= s_t;

      q_2  <= SLOPE_W'(fixed_pkg::rnd(64'(signed'({1'b0, t_1}) * signed'(row[VALUE_W+SLOPE_W+:SLOPE_W])), 6'd15));
      c1_2 <= row[VALUE_W+:SLOPE_W];
      c0_2 <= row[VALUE_W-1:0];
      t_2  <= t_1;

      d_3     <= c1_2 + q_2;
      slope_3 <= c1_2 + q_2 + q_2;
      c0_3    <= c0_2;
      t_3     <= t_2;

      product_4 <= signed'({1'b0, t_3}) * d_3;
      slope_4   <= slope_3;
      c0_4      <= c0_3;

      m_value <= c0_4 + VALUE_W'(fixed_pkg::rnd(64'(product_4), 6'd15 + shift));
      m_slope <= slope_4;
    end
    if (rst) valid <= '0;
  end

endmodule

`default_nettype wire
