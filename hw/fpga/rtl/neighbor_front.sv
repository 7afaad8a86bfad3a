// From neighbor words to the per-neighbor words of the descriptor (docs/numerics.md, sections 2 and 4): r², table
// position, G, s, h, guard and R. One neighbor a cycle, latency 11. A beat that carries no neighbor passes through;
// its words mean nothing.
`default_nettype none

module neighbor_front #(
    parameter int unsigned M1 = 32,               // channels of the embedding
    parameter int unsigned SEGMENTS = 288,        // table segments from r² = 0 to the cutoff
    parameter int unsigned FEATURE_TABLES = 4,    // feature tables held
    parameter int unsigned SCALAR_TABLES = 1,     // radial and angular tables held
    parameter int unsigned GUARD_SEGMENTS = 39,   // most segments of a guard table
    parameter int unsigned GUARD_TABLES = 4,      // guard tables held
    parameter int unsigned PAIRS = 4,             // ordered type pairs, center type * types + neighbor type
    parameter int unsigned DX_W = 18,             // bits of a displacement
    parameter bit GATES = 1,                      // whether gates of the strip form are built in
    parameter int unsigned USER_W = 1,            // bits that travel beside a neighbor
    localparam int unsigned PAIR_W = PAIRS > 1 ? $clog2(PAIRS) : 1,
    localparam int unsigned FEATURE_ROW_W = FEATURE_TABLES * SEGMENTS > 1 ? $clog2(FEATURE_TABLES * SEGMENTS) : 1,
    localparam int unsigned SCALAR_ROW_W = SCALAR_TABLES * SEGMENTS > 1 ? $clog2(SCALAR_TABLES * SEGMENTS) : 1,
    localparam int unsigned GUARD_ROW_W = GUARD_TABLES * GUARD_SEGMENTS > 1 ? $clog2(GUARD_TABLES * GUARD_SEGMENTS) : 1,
    localparam int unsigned LANE_W = M1 > 1 ? $clog2(M1) : 1
) (
    input  wire logic                       clk,
    input  wire logic                       rst,
    // Writes: target 0 feature coefficients of one lane, 1 s, 2 h, 3 guard, 4 first rows of the tables of pair cfg_row,
    // 5 gate of pair cfg_row and one lane.
    input  wire logic                       cfg_valid,
    input  wire logic [2:0]                 cfg_target,
    input  wire logic [15:0]                cfg_row,
    input  wire logic [LANE_W-1:0]          cfg_lane,
    input  wire logic [85:0]                cfg_data,     // {c2, c1, c0}, or {guard, scalar, feature} rows, 16 bits each
    // Constants of the model, kept while neighbors are in flight.
    input  wire logic [5:0]                 u_shift,      // 2 dx_frac - u_frac
    input  wire logic [24:0]                u_min,        // start of the tables
    input  wire logic [9:0]                 guard_end,    // segments of the guard in use, n_guard
    input  wire logic                       gated,        // the model has gates
    input  wire logic [5:0]                 feature_shift,
    input  wire logic [5:0]                 s_shift,
    input  wire logic [5:0]                 h_shift,
    input  wire logic [5:0]                 guard_shift,
    input  wire logic [5:0]                 r0_shift,     // s_frac - env_frac
    input  wire logic [5:0]                 r_shift,      // h_frac + dx_frac - env_frac
    input  wire logic                       s_valid,
    output logic                            s_ready,
    input  wire logic                       s_last,       // last beat of the atom
    input  wire logic                       s_none,       // the beat carries no neighbor
    input  wire logic [PAIR_W-1:0]          s_pair,
    input  wire logic [3*DX_W-1:0]          s_dx,         // x_x, x_y, x_z
    input  wire logic [USER_W-1:0]          s_user,
    output logic                            m_valid,
    input  wire logic                       m_ready,
    output logic                            m_last,
    output logic                            m_none,
    output logic [3*DX_W-1:0]               m_dx,
    output logic [M1*16-1:0]                m_feature,    // G
    output logic [M1*16-1:0]                m_feature_slope,
    output logic [26:0]                     m_s_slope,
    output logic [26:0]                     m_h,
    output logic [26:0]                     m_h_slope,
    output logic [31:0]                     m_guard,
    output logic [26:0]                     m_guard_slope,
    output logic [4*16-1:0]                 m_env,        // R_0, R_x, R_y, R_z
    output logic [3:0]                      m_env_clip,
    output logic                            m_too_close,
    output logic [USER_W-1:0]               m_user
);

  // Stages: 1 squares, 2 r², 3 segment and rows, 8 tables, 9 products and gates read, 10 rounded, 11 saturated.
  localparam int unsigned STAGES = 11;
  localparam int unsigned TABLE_OUT = 8;
  localparam int unsigned PRODUCT_W = 27 + DX_W;
  localparam int unsigned U_W = 25;

  logic advance;
  logic [STAGES:1] valid, last, none, too_close, in_guard;
  assign advance = m_ready || !m_valid;
  assign s_ready = advance;
  assign m_valid = valid[STAGES];
  assign m_last  = last[STAGES];
  assign m_none  = none[STAGES];
  assign m_too_close = too_close[STAGES] && !none[STAGES];

  logic [3*DX_W-1:0] dx[1:STAGES];
  logic [STAGES*USER_W-1:0] users;
  assign m_dx   = dx[STAGES];
  assign m_user = users[STAGES*USER_W-1-:USER_W];

  // First rows of the three tables of each pair.
  logic [47:0] first_rows[PAIRS];
  logic [47:0] first_1, first_2;
  logic [2*DX_W-1:0] square_1[3];
  logic [U_W-1:0] u_2, v_2;
  logic too_close_2;
  assign v_2 = too_close_2 ? u_min : u_2;
  assign too_close_2 = u_2 < u_min;

  logic [2*DX_W+1:0] sum_1;
  assign sum_1 = (2 * DX_W + 2)'(square_1[0]) + (2 * DX_W + 2)'(square_1[1]) + (2 * DX_W + 2)'(square_1[2]);

  logic [14:0] t_3;
  logic [FEATURE_ROW_W-1:0] feature_row_3;
  logic [SCALAR_ROW_W-1:0] scalar_row_3;
  logic [GUARD_ROW_W-1:0] guard_row_3;
  logic in_guard_2;
  assign in_guard_2 = v_2[24:15] < guard_end;

  always_ff @(posedge clk) begin
    if (cfg_valid && cfg_target == 3'd4) first_rows[PAIR_W'(cfg_row)] <= cfg_data[47:0];
    if (advance) begin
      valid <= {valid[STAGES-1:1], s_valid};
      last  <= {last[STAGES-1:1], s_last};
      none  <= {none[STAGES-1:1], s_none};
      users <= {users[(STAGES-1)*USER_W-1:0], s_user};
      dx[1] <= s_dx;
      for (int unsigned n = 2; n <= STAGES; n++) dx[n] <= dx[n-1];

      for (int unsigned n = 0; n < 3; n++)
        square_1[n] <= (2 * DX_W)'(signed'(s_dx[n*DX_W+:DX_W])) * (2 * DX_W)'(signed'(s_dx[n*DX_W+:DX_W]));
      first_1 <= first_rows[s_pair];

      u_2     <= U_W'(fixed_pkg::rnd(64'(sum_1), u_shift));
      first_2 <= first_1;

      t_3           <= v_2[14:0];
      feature_row_3 <= FEATURE_ROW_W'(first_2[15:0]) + FEATURE_ROW_W'(v_2[24:15]);
      scalar_row_3  <= SCALAR_ROW_W'(first_2[31:16]) + SCALAR_ROW_W'(v_2[24:15]);
      guard_row_3   <= in_guard_2 ? GUARD_ROW_W'(first_2[47:32]) + GUARD_ROW_W'(v_2[24:15]) : '0;
      too_close     <= {too_close[STAGES-1:3], too_close_2, 2'b0};
      in_guard      <= {in_guard[STAGES-1:3], in_guard_2, 2'b0};
    end
    if (rst) valid <= '0;
  end

  // The four tables have the same latency and must move with this pipeline, so they evaluate idle cycles too (as the
  // gates do): a table that held only bubbles would run ahead while the output waits.
  logic [M1*16-1:0] feature_8, feature_slope_8;
  logic signed [26:0] s_8, s_slope_8, h_8, h_slope_8, guard_slope_8;
  logic signed [31:0] guard_8;
  logic [3:0] table_valid, table_ready;
  wire unused = &{1'b0, table_valid, table_ready, cfg_row};

  table_narrow #(
      .LANES(M1),
      .ROWS (FEATURE_TABLES * SEGMENTS)
  ) i_feature (
      .clk,
      .rst,
      .cfg_valid(cfg_valid && cfg_target == 3'd0),
      .cfg_row  (FEATURE_ROW_W'(cfg_row)),
      .cfg_lane,
      .cfg_coef (cfg_data[47:0]),
      .shift    (feature_shift),
      .s_valid  (1'b1),
      .s_ready  (table_ready[0]),
      .s_row    (feature_row_3),
      .s_t      (t_3),
      .m_valid  (table_valid[0]),
      .m_ready  (advance),
      .m_value  (feature_8),
      .m_slope  (feature_slope_8)
  );

  table_wide #(
      .ROWS(SCALAR_TABLES * SEGMENTS)
  ) i_s (
      .clk,
      .rst,
      .cfg_valid(cfg_valid && cfg_target == 3'd1),
      .cfg_row  (SCALAR_ROW_W'(cfg_row)),
      .cfg_coef (cfg_data[80:0]),
      .shift    (s_shift),
      .s_valid  (1'b1),
      .s_ready  (table_ready[1]),
      .s_row    (scalar_row_3),
      .s_t      (t_3),
      .m_valid  (table_valid[1]),
      .m_ready  (advance),
      .m_value  (s_8),
      .m_slope  (s_slope_8)
  );

  table_wide #(
      .ROWS(SCALAR_TABLES * SEGMENTS)
  ) i_h (
      .clk,
      .rst,
      .cfg_valid(cfg_valid && cfg_target == 3'd2),
      .cfg_row  (SCALAR_ROW_W'(cfg_row)),
      .cfg_coef (cfg_data[80:0]),
      .shift    (h_shift),
      .s_valid  (1'b1),
      .s_ready  (table_ready[2]),
      .s_row    (scalar_row_3),
      .s_t      (t_3),
      .m_valid  (table_valid[2]),
      .m_ready  (advance),
      .m_value  (h_8),
      .m_slope  (h_slope_8)
  );

  table_wide #(
      .ROWS   (GUARD_TABLES * GUARD_SEGMENTS),
      .VALUE_W(32)
  ) i_guard (
      .clk,
      .rst,
      .cfg_valid(cfg_valid && cfg_target == 3'd3),
      .cfg_row  (GUARD_ROW_W'(cfg_row)),
      .cfg_coef (cfg_data),
      .shift    (guard_shift),
      .s_valid  (1'b1),
      .s_ready  (table_ready[3]),
      .s_row    (guard_row_3),
      .s_t      (t_3),
      .m_valid  (table_valid[3]),
      .m_ready  (advance),
      .m_value  (guard_8),
      .m_slope  (guard_slope_8)
  );

  // What the tables gave, delayed to the output beside R; G and its slope pass their gates meanwhile.
  localparam int unsigned CARRY_W = 4 * 27 + 32;
  localparam int unsigned CARRIED = STAGES - TABLE_OUT;
  if (GATES) begin : g_gates
    logic [PAIR_W-1:0] pair[1:TABLE_OUT];
    logic [PAIR_W-1:0] pair_8;
    assign pair_8 = pair[TABLE_OUT];
    logic gate_valid, gate_ready;
    wire unused_gate = &{1'b0, gate_valid, gate_ready};
    always_ff @(posedge clk) begin
      if (advance) begin
        pair[1] <= s_pair;
        for (int unsigned n = 2; n <= TABLE_OUT; n++) pair[n] <= pair[n-1];
      end
    end
    gate_unit #(
        .CHANNELS(M1),
        .PAIRS   (PAIRS)
    ) i_gate (
        .clk,
        .rst,
        .cfg_valid(cfg_valid && cfg_target == 3'd5),
        .cfg_pair (PAIR_W'(cfg_row)),
        .cfg_lane,
        .cfg_gate (cfg_data[15:0]),
        .gated,
        .s_valid  (1'b1),
        .s_ready  (gate_ready),
        .s_pair   (pair_8),
        .s_value  (feature_8),
        .s_slope  (feature_slope_8),
        .m_valid  (gate_valid),
        .m_ready  (advance),
        .m_value  (m_feature),
        .m_slope  (m_feature_slope)
    );
  end else begin : g_no_gates
    logic [2*M1*16-1:0] feature[1:CARRIED];
    wire unused_gate = &{1'b0, gated};
    assign {m_feature, m_feature_slope} = feature[CARRIED];
    always_ff @(posedge clk) begin
      if (advance) begin
        feature[1] <= {feature_8, feature_slope_8};
        for (int unsigned n = 2; n <= CARRIED; n++) feature[n] <= feature[n-1];
      end
    end
  end

  logic [CARRY_W-1:0] carry[1:CARRIED];
  logic [31:0] guard_11;
  logic [26:0] guard_slope_11;
  assign {m_s_slope, m_h, m_h_slope, guard_11, guard_slope_11} = carry[CARRIED];
  assign m_guard = in_guard[STAGES] ? guard_11 : '0;
  assign m_guard_slope = in_guard[STAGES] ? guard_slope_11 : '0;

  logic signed [PRODUCT_W-1:0] env_9[4], env_10[4];
  always_ff @(posedge clk) begin
    if (advance) begin
      carry[1] <= {s_slope_8, h_8, h_slope_8, guard_8, guard_slope_8};
      for (int unsigned n = 2; n <= CARRIED; n++) carry[n] <= carry[n-1];

      env_9[0]  <= PRODUCT_W'(s_8);
      env_10[0] <= PRODUCT_W'(fixed_pkg::rnd(64'(env_9[0]), r0_shift));
      for (int unsigned n = 0; n < 3; n++) begin
        env_9[n+1]  <= h_8 * signed'(dx[TABLE_OUT][n*DX_W+:DX_W]);
        env_10[n+1] <= PRODUCT_W'(fixed_pkg::rnd(64'(env_9[n+1]), r_shift));
      end
      for (int unsigned n = 0; n < 4; n++) begin
        m_env[n*16+:16] <= 16'(fixed_pkg::sat(64'(env_10[n]), 6'd16));
        m_env_clip[n]   <= fixed_pkg::clips(64'(env_10[n]), 6'd16) && !none[10];
      end
    end
  end

endmodule

`default_nettype wire
