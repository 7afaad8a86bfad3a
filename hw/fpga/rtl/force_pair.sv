// Second half of the force of one neighbor (docs/numerics.md, section 8): V, P and the pair force from A and B.
// One neighbor a cycle, latency 12. Other words of the neighbor travel beside it.
`default_nettype none

module force_pair #(
    parameter int unsigned DX_W = 18,       // bits of a displacement
    parameter int unsigned A_BITS = 18,     // bits of the words A, B, V, P and f
    parameter int unsigned B_BITS = 18,
    parameter int unsigned V_BITS = 18,
    parameter int unsigned P_BITS = 27,
    parameter int unsigned F_BITS = 32,
    parameter int unsigned USER_W = 1       // bits that travel beside a neighbor
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    // Shifts of the model, constant while neighbors are in flight: to the right v, p, f; to the left e1 … e5.
    input  wire logic [5:0]            v_shift,
    input  wire logic [5:0]            p_shift,
    input  wire logic [5:0]            f_shift,
    input  wire logic [5*6-1:0]        align,
    input  wire logic                  s_valid,
    output logic                       s_ready,
    input  wire logic [4*A_BITS-1:0]   s_a,
    input  wire logic [4*B_BITS-1:0]   s_b,
    input  wire logic [3*DX_W-1:0]     s_dx,
    input  wire logic [26:0]           s_s_slope,
    input  wire logic [26:0]           s_h,
    input  wire logic [26:0]           s_h_slope,
    input  wire logic [26:0]           s_guard_slope,
    input  wire logic [4*16-1:0]       s_env,
    input  wire logic [USER_W-1:0]     s_user,
    output logic                       m_valid,
    input  wire logic                  m_ready,
    output logic [3*F_BITS-1:0]        m_force,     // f_x, f_y, f_z
    output logic                       m_v_clip,
    output logic                       m_p_clip,
    output logic [2:0]                 m_f_clip,
    output logic [USER_W-1:0]          m_user
);

  // Stages: 1 A·x and R·B, 2 their sums, 3 V rounded, 4 V, 5 products of T, 6 T, 7 T rounded, 8 P, 9 products of f,
  // 10 force sum, 11 rounded, 12 f.
  localparam int unsigned STAGES = 12;
  localparam int unsigned T_W = 56;          // a valid model needs 52
  logic advance;
  logic [STAGES:1] valid;
  logic [STAGES*USER_W-1:0] users;
  assign advance = m_ready || !m_valid;
  assign s_ready = advance;
  assign m_valid = valid[STAGES];
  assign m_user  = users[STAGES*USER_W-1-:USER_W];
  always_ff @(posedge clk) begin
    if (advance) begin
      valid <= {valid[STAGES-1:1], s_valid};
      users <= {users[(STAGES-1)*USER_W-1:0], s_user};
    end
    if (rst) valid <= '0;
  end

  // What later stages need of the neighbor.
  localparam int unsigned FORCE_AT = 8;      // products of f take the words of this stage
  localparam int unsigned T_AT = 4;          // products of T
  logic [3*DX_W-1:0] dx[1:FORCE_AT];
  logic [3*A_BITS-1:0] a[1:FORCE_AT];
  logic [26:0] h[1:FORCE_AT];
  logic [26:0] guard_slope[1:7];
  logic [26:0] s_slope[1:T_AT], h_slope[1:T_AT];
  logic signed [A_BITS-1:0] a0[1:T_AT];
  always_ff @(posedge clk) begin
    if (advance) begin
      dx[1]          <= s_dx;
      a[1]           <= s_a[4*A_BITS-1:A_BITS];
      h[1]           <= s_h;
      guard_slope[1] <= s_guard_slope;
      s_slope[1]     <= s_s_slope;
      h_slope[1]     <= s_h_slope;
      a0[1]          <= s_a[A_BITS-1:0];
      for (int unsigned n = 2; n <= FORCE_AT; n++) begin
        dx[n] <= dx[n-1];
        a[n]  <= a[n-1];
        h[n]  <= h[n-1];
      end
      for (int unsigned n = 2; n <= 7; n++) guard_slope[n] <= guard_slope[n-1];
      for (int unsigned n = 2; n <= T_AT; n++) begin
        s_slope[n] <= s_slope[n-1];
        h_slope[n] <= h_slope[n-1];
        a0[n]      <= a0[n-1];
      end
    end
  end

  // V and the sum of R·B.
  localparam int unsigned V_W = A_BITS + DX_W + 2;
  localparam int unsigned RB_W = 16 + B_BITS + 2;
  logic signed [V_W-1:0] ax_1[3], ax_2, v_3;
  logic signed [RB_W-1:0] rb_1[4], rb_2, rb_3, rb_4, rb_5;
  logic signed [V_BITS-1:0] v_4;
  logic v_clip_4;
  always_ff @(posedge clk) begin
    if (advance) begin
      for (int unsigned n = 0; n < 3; n++)
        ax_1[n] <= V_W'(signed'(s_a[(n+1)*A_BITS+:A_BITS])) * V_W'(signed'(s_dx[n*DX_W+:DX_W]));
      for (int unsigned c = 0; c < 4; c++)
        rb_1[c] <= RB_W'(signed'(s_env[c*16+:16])) * RB_W'(signed'(s_b[c*B_BITS+:B_BITS]));
      ax_2 <= ax_1[0] + ax_1[1] + ax_1[2];
      rb_2 <= rb_1[0] + rb_1[1] + rb_1[2] + rb_1[3];
      v_3  <= V_W'(fixed_pkg::rnd(64'(ax_2), v_shift));
      rb_3 <= rb_2;
      v_4      <= V_BITS'(fixed_pkg::sat(64'(v_3), 6'(V_BITS)));
      v_clip_4 <= fixed_pkg::clips(64'(v_3), 6'(V_BITS));
      rb_4 <= rb_3;
      rb_5 <= rb_4;
    end
  end

  // T and P.
  logic signed [26+A_BITS:0] sa_5;
  logic signed [26+V_BITS:0] hv_5;
  logic signed [T_W-1:0] t_6, t_7;
  logic signed [T_W-1:0] p_sum_7;
  logic signed [P_BITS-1:0] p_8;
  logic p_clip_8;
  assign p_sum_7 = t_7 + T_W'(signed'(guard_slope[7]));
  always_ff @(posedge clk) begin
    if (advance) begin
      sa_5 <= signed'(s_slope[T_AT]) * a0[T_AT];
      hv_5 <= signed'(h_slope[T_AT]) * v_4;
      t_6  <= (T_W'(sa_5) <<< align[0+:6]) + (T_W'(hv_5) <<< align[6+:6]) + (T_W'(rb_5) <<< align[12+:6]);
      t_7  <= T_W'(fixed_pkg::rnd(64'(t_6), p_shift));
      p_8      <= P_BITS'(fixed_pkg::sat(64'(p_sum_7), 6'(P_BITS)));
      p_clip_8 <= fixed_pkg::clips(64'(p_sum_7), 6'(P_BITS));
    end
  end

  // f.
  for (genvar n = 0; n < 3; n++) begin : g_force
    logic signed [DX_W+P_BITS-1:0] xp_9;
    logic signed [26+A_BITS:0] ah_9;
    logic signed [T_W-1:0] sum_10, rounded_11;
    always_ff @(posedge clk) begin
      if (advance) begin
        xp_9 <= signed'(dx[FORCE_AT][n*DX_W+:DX_W]) * p_8;
        ah_9 <= signed'(a[FORCE_AT][n*A_BITS+:A_BITS]) * signed'(h[FORCE_AT]);
        sum_10     <= (T_W'(xp_9) <<< (align[18+:6] + 6'd1)) + (T_W'(ah_9) <<< align[24+:6]);
        rounded_11 <= T_W'(fixed_pkg::rnd(64'(sum_10), f_shift));
        m_force[n*F_BITS+:F_BITS] <= F_BITS'(fixed_pkg::sat(64'(rounded_11), 6'(F_BITS)));
        m_f_clip[n]               <= fixed_pkg::clips(64'(rounded_11), 6'(F_BITS));
      end
    end
  end

  logic [STAGES:5] v_clip;
  logic [STAGES:9] p_clip;
  assign m_v_clip = v_clip[STAGES];
  assign m_p_clip = p_clip[STAGES];
  always_ff @(posedge clk) begin
    if (advance) begin
      v_clip <= {v_clip[STAGES-1:5], v_clip_4};
      p_clip <= {p_clip[STAGES-1:9], p_clip_8};
    end
  end

endmodule

`default_nettype wire
