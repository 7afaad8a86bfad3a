// Piecewise quadratic table, narrow form (docs/numerics.md, section 3): value and slope of every lane at one
// position. One position a cycle, latency 5. Each lane has its own coefficient memory, written at run time.
`default_nettype none

module table_narrow #(
    parameter int unsigned LANES = 32,                                       // functions evaluated side by side
    parameter int unsigned ROWS = 1152,                                      // segments of all tables together
    localparam int unsigned ROW_W = ROWS > 1 ? $clog2(ROWS) : 1,
    localparam int unsigned LANE_W = LANES > 1 ? $clog2(LANES) : 1
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic                   cfg_valid,  // write one row of one lane
    input  wire logic [ROW_W-1:0]       cfg_row,
    input  wire logic [LANE_W-1:0]      cfg_lane,
    input  wire logic [47:0]            cfg_coef,   // {c2, c1, c0}, 16 bits each
    input  wire logic [5:0]             shift,      // slope shift k, constant while beats are in flight
    input  wire logic                   s_valid,
    output logic                        s_ready,
    input  wire logic [ROW_W-1:0]       s_row,
    input  wire logic [14:0]            s_t,        // position in the segment, 15 fraction bits
    output logic                        m_valid,
    input  wire logic                   m_ready,
    output logic [LANES*16-1:0]         m_value,
    output logic [LANES*16-1:0]         m_slope
);

  localparam int unsigned STAGES = 5;
  logic advance;
  logic [STAGES-1:0] valid;
  assign advance = m_ready || !m_valid;
  assign s_ready = advance;
  assign m_valid = valid[STAGES-1];

  logic [14:0] t_1, t_2, t_3;
  always_ff @(posedge clk) begin
    if (advance) begin
      valid <= {valid[STAGES-2:0], s_valid};
      t_1   <= s_t;
      t_2   <= t_1;
      t_3   <= t_2 >> shift;
    end
    if (rst) valid <= '0;
  end

  for (genvar i = 0; i < LANES; i++) begin : g_lane
    logic [47:0] memory [ROWS];
    logic [47:0] row;
    logic signed [15:0] c0_2, c1_2, c0_3, c0_4, q_2, d_3, slope_3, slope_4;
    logic signed [31:0] product_4;

    always_ff @(posedge clk) begin
      if (cfg_valid && cfg_lane == LANE_W'(i)) memory[cfg_row] <= cfg_coef;
      if (advance) row <= memory[s_row];
    end

    always_ff @(posedge clk) begin
      if (advance) begin
        q_2  <= 16'(fixed_pkg::rnd(64'(signed'({1'b0, t_1}) * signed'(row[47:32])), 6'd15));
        c1_2 <= row[31:16];
        c0_2 <= row[15:0];

        d_3     <= c1_2 + q_2;
        slope_3 <= c1_2 + q_2 + q_2;
        c0_3    <= c0_2;

        product_4 <= signed'({1'b0, t_3}) * d_3;
        slope_4   <= slope_3;
        c0_4      <= c0_3;

        m_value[i*16+:16] <= c0_4 + 16'(fixed_pkg::rnd(64'(product_4), 6'd15));
        m_slope[i*16+:16] <= slope_4;
      end
    end
  end

endmodule

`default_nettype wire
