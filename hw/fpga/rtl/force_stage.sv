// Forces of the neighbors of one atom after another, LANES a beat (docs/numerics.md, section 8), and the clip counts of
// its stages. One beat a cycle, latency 17. Lanes without a neighbor give a force that means nothing and count nothing.
`default_nettype none

module force_stage #(
    parameter int unsigned M1 = 32,          // channels
    parameter int unsigned LANES = 1,        // neighbors a beat
    parameter int unsigned DX_W = 18,        // bits of a displacement
    parameter int unsigned A_BITS = 18,      // bits of the words A, B, V, P and f
    parameter int unsigned B_BITS = 18,
    parameter int unsigned V_BITS = 18,
    parameter int unsigned P_BITS = 27,
    parameter int unsigned F_BITS = 32,
    parameter int unsigned COUNT_W = 16      // bits of a clip count
) (
    input  wire logic                          clk,
    input  wire logic                          rst,
    // Shifts of the model, constant while neighbors are in flight: to the right a, b, v, p, f; to the left e1 … e5.
    input  wire logic [5:0]                    a_shift,
    input  wire logic [5:0]                    b_shift,
    input  wire logic [5:0]                    v_shift,
    input  wire logic [5:0]                    p_shift,
    input  wire logic [5:0]                    f_shift,
    input  wire logic [5*6-1:0]                align,
    input  wire logic                          s_valid,
    output logic                               s_ready,
    input  wire logic                          s_last,           // last beat of the atom
    input  wire logic [LANES-1:0]              s_none,           // lanes that carry no neighbor
    input  wire logic [M1*4*16-1:0]            s_y,              // Y of the atom, in every beat
    input  wire logic [LANES*3*DX_W-1:0]       s_dx,
    input  wire logic [LANES*M1*16-1:0]        s_feature,        // G
    input  wire logic [LANES*M1*16-1:0]        s_feature_slope,
    input  wire logic [LANES*27-1:0]           s_s_slope,
    input  wire logic [LANES*27-1:0]           s_h,
    input  wire logic [LANES*27-1:0]           s_h_slope,
    input  wire logic [LANES*27-1:0]           s_guard_slope,
    input  wire logic [LANES*4*16-1:0]         s_env,            // R_0, R_x, R_y, R_z
    output logic                               m_valid,
    input  wire logic                          m_ready,
    output logic                               m_last,
    output logic [LANES-1:0]                   m_none,
    output logic [LANES*3*F_BITS-1:0]          m_force,          // f_x, f_y, f_z of each lane
    output logic [5*COUNT_W-1:0]               m_clips           // A, B, V, P, F of the atom, in its last beat
);

  localparam int unsigned WORDS_W = 3 * DX_W + 4 * 27 + 4 * 16;
  // The lanes move in step, so the first speaks for all.
  logic [LANES-1:0] dots_valid, dots_ready, in_ready, out_valid, out_last;
  assign s_ready = in_ready[0];
  assign m_valid = out_valid[0];
  assign m_last  = out_last[0];
  wire unused = &{1'b0, dots_valid, dots_ready, in_ready, out_valid, out_last};

  logic [LANES*4-1:0] a_clip, b_clip;
  logic [LANES-1:0] v_clip, p_clip;
  logic [LANES*3-1:0] f_clip;

  for (genvar i = 0; i < LANES; i++) begin : g_lane
    logic [WORDS_W-1:0] words;
    logic last, none;
    logic [4*A_BITS-1:0] a;
    logic [4*B_BITS-1:0] b;
    logic [3:0] a_flag, b_flag, a_out, b_out;
    logic v_out, p_out;
    logic [2:0] f_out;

    force_dots #(
        .M1    (M1),
        .A_BITS(A_BITS),
        .B_BITS(B_BITS),
        .USER_W(WORDS_W + 2)
    ) i_dots (
        .clk,
        .rst,
        .a_shift,
        .b_shift,
        .s_valid,
        .s_ready        (in_ready[i]),
        .s_y,
        .s_feature      (s_feature[i*M1*16+:M1*16]),
        .s_feature_slope(s_feature_slope[i*M1*16+:M1*16]),
        .s_user         ({
          s_last,
          s_none[i],
          s_dx[i*3*DX_W+:3*DX_W],
          s_s_slope[i*27+:27],
          s_h[i*27+:27],
          s_h_slope[i*27+:27],
          s_guard_slope[i*27+:27],
          s_env[i*64+:64]
        }),
        .m_valid        (dots_valid[i]),
        .m_ready        (dots_ready[i]),
        .m_a            (a),
        .m_b            (b),
        .m_a_clip       (a_flag),
        .m_b_clip       (b_flag),
        .m_user         ({last, none, words})
    );

    force_pair #(
        .DX_W  (DX_W),
        .A_BITS(A_BITS),
        .B_BITS(B_BITS),
        .V_BITS(V_BITS),
        .P_BITS(P_BITS),
        .F_BITS(F_BITS),
        .USER_W(10)
    ) i_pair (
        .clk,
        .rst,
        .v_shift,
        .p_shift,
        .f_shift,
        .align,
        .s_valid      (dots_valid[i]),
        .s_ready      (dots_ready[i]),
        .s_a          (a),
        .s_b          (b),
        .s_dx         (words[WORDS_W-1-:3*DX_W]),
        .s_s_slope    (words[64+3*27+:27]),
        .s_h          (words[64+2*27+:27]),
        .s_h_slope    (words[64+27+:27]),
        .s_guard_slope(words[64+:27]),
        .s_env        (words[63:0]),
        .s_user       ({last, none, a_flag, b_flag}),
        .m_valid      (out_valid[i]),
        .m_ready,
        .m_force      (m_force[i*3*F_BITS+:3*F_BITS]),
        .m_v_clip     (v_out),
        .m_p_clip     (p_out),
        .m_f_clip     (f_out),
        .m_user       ({out_last[i], m_none[i], a_out, b_out})
    );

    assign a_clip[i*4+:4] = m_none[i] ? '0 : a_out;
    assign b_clip[i*4+:4] = m_none[i] ? '0 : b_out;
    assign v_clip[i]      = v_out && !m_none[i];
    assign p_clip[i]      = p_out && !m_none[i];
    assign f_clip[i*3+:3] = m_none[i] ? '0 : f_out;
  end

  logic take;
  assign take = m_valid && m_ready;
  clip_tally #(
      .FLAGS  (LANES * 4),
      .COUNT_W(COUNT_W)
  ) i_a_tally (
      .clk,
      .rst,
      .take,
      .last (m_last),
      .flags(a_clip),
      .total(m_clips[0*COUNT_W+:COUNT_W])
  );
  clip_tally #(
      .FLAGS  (LANES * 4),
      .COUNT_W(COUNT_W)
  ) i_b_tally (
      .clk,
      .rst,
      .take,
      .last (m_last),
      .flags(b_clip),
      .total(m_clips[1*COUNT_W+:COUNT_W])
  );
  clip_tally #(
      .FLAGS  (LANES),
      .COUNT_W(COUNT_W)
  ) i_v_tally (
      .clk,
      .rst,
      .take,
      .last (m_last),
      .flags(v_clip),
      .total(m_clips[2*COUNT_W+:COUNT_W])
  );
  clip_tally #(
      .FLAGS  (LANES),
      .COUNT_W(COUNT_W)
  ) i_p_tally (
      .clk,
      .rst,
      .take,
      .last (m_last),
      .flags(p_clip),
      .total(m_clips[3*COUNT_W+:COUNT_W])
  );
  clip_tally #(
      .FLAGS  (LANES * 3),
      .COUNT_W(COUNT_W)
  ) i_f_tally (
      .clk,
      .rst,
      .take,
      .last (m_last),
      .flags(f_clip),
      .total(m_clips[4*COUNT_W+:COUNT_W])
  );

endmodule

`default_nettype wire
