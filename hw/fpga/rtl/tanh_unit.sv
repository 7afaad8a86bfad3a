// Activation of the fitting network (docs/numerics.md, section 6): exact sums in, tanh and its derivative out.
// One beat a cycle, latency 7. The table is odd; its positive half is written at run time, the same for all lanes.
`default_nettype none

module tanh_unit #(
    parameter int unsigned LANES = 4,        // neurons a beat
    parameter int unsigned SUM_W = 32,       // bits of an exact sum
    parameter int unsigned SEG_BITS = 9,     // tanh_seg_bits: input bits inside one segment
    parameter int unsigned USER_W = 1,       // bits that travel beside a beat
    localparam int unsigned ROW_W = 15 - SEG_BITS
) (
    input  wire logic                        clk,
    input  wire logic                        rst,
    input  wire logic                        cfg_valid,    // write one row of the table
    input  wire logic [ROW_W-1:0]            cfg_row,
    input  wire logic [47:0]                 cfg_coef,     // {c2, c1, c0}, 16 bits each
    input  wire logic [5:0]                  table_shift,  // tanh_shift, constant while beats are in flight
    input  wire logic                        s_valid,
    output logic                             s_ready,
    input  wire logic [5:0]                  s_shift,      // fraction bits of the sum above z_frac
    input  wire logic [LANES*SUM_W-1:0]      s_sum,
    input  wire logic [USER_W-1:0]           s_user,
    output logic                             m_valid,
    input  wire logic                        m_ready,
    output logic [LANES*16-1:0]              m_act,
    output logic [LANES*16-1:0]              m_phi,
    output logic [USER_W-1:0]                m_user
);

  localparam int unsigned TABLE_LATENCY = 5;
  localparam int unsigned LATENCY = TABLE_LATENCY + 2;
  logic advance;
  logic valid_1, valid_2;
  assign advance = m_ready || !m_valid;
  assign s_ready = advance;

  logic [LATENCY*USER_W-1:0] users;
  assign m_user = users[LATENCY*USER_W-1-:USER_W];

  always_ff @(posedge clk) begin
    if (advance) begin
      valid_1 <= s_valid;
      valid_2 <= valid_1;
      users   <= {users[(LATENCY-1)*USER_W-1:0], s_user};
    end
    if (rst) begin
      valid_1 <= 1'b0;
      valid_2 <= 1'b0;
    end
  end

  // The lanes move in step, so one of them speaks for all.
  logic [LANES-1:0] lane_valid, lane_ready;
  assign m_valid = lane_valid[0];
  wire unused = &{1'b0, lane_valid, lane_ready};

  for (genvar i = 0; i < LANES; i++) begin : g_lane
    logic signed [SUM_W-1:0] rounded_1;
    logic signed [15:0] zt;
    logic [14:0] magnitude_2;
    logic [TABLE_LATENCY:0] negative;  // from stage 2 to the output
    logic signed [15:0] value;

    assign zt = 16'(fixed_pkg::sat(64'(rounded_1), 6'd16));
    always_ff @(posedge clk) begin
      if (advance) begin
        rounded_1   <= SUM_W'(fixed_pkg::rnd(64'(signed'(s_sum[i*SUM_W+:SUM_W])), s_shift));
        magnitude_2 <= zt[15] ? 15'(-zt) : zt[14:0];
        negative    <= {negative[TABLE_LATENCY-1:0], zt[15]};
      end
    end

    table_narrow #(
        .LANES(1),
        .ROWS (1 << ROW_W)
    ) i_table (
        .clk,
        .rst,
        .cfg_valid,
        .cfg_row,
        .cfg_lane(1'b0),
        .cfg_coef,
        .shift   (table_shift),
        .s_valid (valid_2),
        .s_ready (lane_ready[i]),
        .s_row   (magnitude_2[14:SEG_BITS]),
        .s_t     ({magnitude_2[SEG_BITS-1:0], ROW_W'(0)}),
        .m_valid (lane_valid[i]),
        .m_ready,
        .m_value (value),
        .m_slope (m_phi[i*16+:16])
    );
    assign m_act[i*16+:16] = negative[TABLE_LATENCY] ? -value : value;
  end

endmodule

`default_nettype wire
