// LANES neighbor fronts side by side, and what an atom needs of all its neighbors: the sum of the guard's values, the
// number of clipped words of R and of neighbors that are too close. One beat a cycle, latency 11, as neighbor_front.
`default_nettype none

module neighbor_lanes #(
    parameter int unsigned LANES = 1,             // neighbors a beat
    parameter int unsigned TYPES = 2,             // atom types
    parameter int unsigned M1 = 32,               // channels of the embedding
    parameter int unsigned SEGMENTS = 288,        // as in neighbor_front
    parameter int unsigned FEATURE_TABLES = 4,
    parameter int unsigned SCALAR_TABLES = 1,
    parameter int unsigned GUARD_SEGMENTS = 39,
    parameter int unsigned GUARD_TABLES = 4,
    parameter int unsigned DX_W = 18,
    parameter bit GATES = 1,
    parameter int unsigned COUNT_W = 16,          // bits of a count
    parameter int unsigned GUARD_W = 48,          // bits of the sum of guard values
    localparam int unsigned TYPE_W = TYPES > 1 ? $clog2(TYPES) : 1,
    localparam int unsigned CARRY_W = 3 * DX_W + 2 * M1 * 16 + 4 * 27 + 4 * 16,
    localparam int unsigned LANE_W = M1 > 1 ? $clog2(M1) : 1
) (
    input  wire logic                          clk,
    input  wire logic                          rst,
    input  wire logic                          cfg_valid,     // a write to all lanes, as in neighbor_front
    input  wire logic [2:0]                    cfg_target,
    input  wire logic [15:0]                   cfg_row,
    input  wire logic [LANE_W-1:0]             cfg_lane,
    input  wire logic [85:0]                   cfg_data,
    // Constants of the model, as in neighbor_front.
    input  wire logic [5:0]                    u_shift,
    input  wire logic [24:0]                   u_min,
    input  wire logic [9:0]                    guard_end,
    input  wire logic                          gated,
    input  wire logic [5:0]                    feature_shift,
    input  wire logic [5:0]                    s_shift,
    input  wire logic [5:0]                    h_shift,
    input  wire logic [5:0]                    guard_shift,
    input  wire logic [5:0]                    r0_shift,
    input  wire logic [5:0]                    r_shift,
    input  wire logic                          s_valid,
    output logic                               s_ready,
    input  wire logic                          s_last,        // last beat of the atom
    input  wire logic [LANES-1:0]              s_none,        // lanes that carry no neighbor
    input  wire logic [TYPE_W-1:0]             s_center,      // type of the atom, the same in all its beats
    input  wire logic [LANES*TYPE_W-1:0]       s_type,        // type of each neighbor
    input  wire logic [LANES*3*DX_W-1:0]       s_dx,
    output logic                               m_valid,
    input  wire logic                          m_ready,
    output logic                               m_last,
    output logic [LANES-1:0]                   m_none,
    output logic [LANES*M1*16-1:0]             m_feature,     // what descriptor_acc needs
    output logic [LANES*4*16-1:0]              m_env,
    output logic [LANES*CARRY_W-1:0]           m_carry,       // what force_stage needs: {x, G, G', s', h, h', guard', R}
    // Of the whole atom, in its last beat.
    output logic [TYPE_W-1:0]                  m_center,
    output logic signed [GUARD_W-1:0]          m_guard,
    output logic [COUNT_W-1:0]                 m_r_clips,
    output logic [COUNT_W-1:0]                 m_too_close
);

  localparam int unsigned PAIRS = TYPES * TYPES;
  localparam int unsigned PAIR_W = PAIRS > 1 ? $clog2(PAIRS) : 1;

  // The lanes move in step, so the first speaks for all.
  logic [LANES-1:0] in_ready, out_valid, out_last, too_close;
  logic [LANES*TYPE_W-1:0] center;
  logic [LANES*4-1:0] env_clip;
  logic [LANES*32-1:0] guard;
  assign s_ready  = in_ready[0];
  assign m_valid  = out_valid[0];
  assign m_last   = out_last[0];
  assign m_center = center[TYPE_W-1:0];
  wire unused = &{1'b0, in_ready, out_valid, out_last, center};

  for (genvar i = 0; i < LANES; i++) begin : g_lane
    logic [3*DX_W-1:0] dx;
    logic [M1*16-1:0] feature_slope;
    logic [26:0] s_slope, h, h_slope, guard_slope;
    neighbor_front #(
        .M1            (M1),
        .SEGMENTS      (SEGMENTS),
        .FEATURE_TABLES(FEATURE_TABLES),
        .SCALAR_TABLES (SCALAR_TABLES),
        .GUARD_SEGMENTS(GUARD_SEGMENTS),
        .GUARD_TABLES  (GUARD_TABLES),
        .PAIRS         (PAIRS),
        .DX_W          (DX_W),
        .GATES         (GATES),
        .USER_W        (TYPE_W)
    ) i_front (
        .clk,
        .rst,
        .cfg_valid,
        .cfg_target,
        .cfg_row,
        .cfg_lane,
        .cfg_data,
        .u_shift,
        .u_min,
        .guard_end,
        .gated,
        .feature_shift,
        .s_shift,
        .h_shift,
        .guard_shift,
        .r0_shift,
        .r_shift,
        .s_valid,
        .s_ready        (in_ready[i]),
        .s_last,
        .s_none         (s_none[i]),
        .s_pair         (PAIR_W'(s_center) * PAIR_W'(TYPES) + PAIR_W'(s_type[i*TYPE_W+:TYPE_W])),
        .s_dx           (s_dx[i*3*DX_W+:3*DX_W]),
        .s_user         (s_center),
        .m_valid        (out_valid[i]),
        .m_ready,
        .m_last         (out_last[i]),
        .m_none         (m_none[i]),
        .m_dx           (dx),
        .m_feature      (m_feature[i*M1*16+:M1*16]),
        .m_feature_slope(feature_slope),
        .m_s_slope      (s_slope),
        .m_h            (h),
        .m_h_slope      (h_slope),
        .m_guard        (guard[i*32+:32]),
        .m_guard_slope  (guard_slope),
        .m_env          (m_env[i*64+:64]),
        .m_env_clip     (env_clip[i*4+:4]),
        .m_too_close    (too_close[i]),
        .m_user         (center[i*TYPE_W+:TYPE_W])
    );
    assign m_carry[i*CARRY_W+:CARRY_W] = {
      dx, m_feature[i*M1*16+:M1*16], feature_slope, s_slope, h, h_slope, guard_slope, m_env[i*64+:64]
    };
  end

  logic take;
  logic signed [GUARD_W-1:0] guard_held;
  assign take = m_valid && m_ready;
  always_comb begin
    m_guard = guard_held;
    for (int unsigned i = 0; i < LANES; i++)
      if (!m_none[i]) m_guard = m_guard + GUARD_W'(signed'(guard[i*32+:32]));
  end
  always_ff @(posedge clk) begin
    if (take) guard_held <= m_last ? '0 : m_guard;
    if (rst) guard_held <= '0;
  end

  clip_tally #(
      .FLAGS  (LANES * 4),
      .COUNT_W(COUNT_W)
  ) i_clips (
      .clk,
      .rst,
      .take,
      .last (m_last),
      .flags(env_clip),
      .total(m_r_clips)
  );
  clip_tally #(
      .FLAGS  (LANES),
      .COUNT_W(COUNT_W)
  ) i_too_close (
      .clk,
      .rst,
      .take,
      .last (m_last),
      .flags(too_close),
      .total(m_too_close)
  );

endmodule

`default_nettype wire
