// First half of the force of one neighbor (docs/numerics.md, section 8): A and B, eight dot products over the channels
// of Y with G and with its slope. One neighbor a cycle, latency 5. Other words of the neighbor travel beside them.
`default_nettype none

module force_dots #(
    parameter int unsigned M1 = 32,         // channels
    parameter int unsigned A_BITS = 18,     // bits of a word of A
    parameter int unsigned B_BITS = 18,     // bits of a word of B
    parameter int unsigned USER_W = 1,      // bits that travel beside a neighbor
    parameter int unsigned GROUP = 8        // products summed in one stage before the rest
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    input  wire logic [5:0]            a_shift,   // right shifts, constant while neighbors are in flight
    input  wire logic [5:0]            b_shift,
    input  wire logic                  s_valid,
    output logic                       s_ready,
    input  wire logic [M1*4*16-1:0]    s_y,       // Y_ck: column by column, c = 0 … 3
    input  wire logic [M1*16-1:0]      s_feature,
    input  wire logic [M1*16-1:0]      s_feature_slope,
    input  wire logic [USER_W-1:0]     s_user,
    output logic                       m_valid,
    input  wire logic                  m_ready,
    output logic [4*A_BITS-1:0]        m_a,
    output logic [4*B_BITS-1:0]        m_b,
    output logic [3:0]                 m_a_clip,
    output logic [3:0]                 m_b_clip,
    output logic [USER_W-1:0]          m_user
);

  localparam int unsigned STAGES = 5;
  localparam int unsigned GROUPS = (M1 + GROUP - 1) / GROUP;
  localparam int unsigned SUM_W = 32 + $clog2(M1);

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

  // Dot products 0 … 3 are A, 4 … 7 are B.
  for (genvar n = 0; n < 8; n++) begin : g_dot
    localparam int unsigned C = n % 4;
    localparam bit IS_B = n >= 4;
    logic [M1*16-1:0] word;
    logic [M1*32-1:0] product_1;
    logic [GROUPS*SUM_W-1:0] group_1, group_2;
    logic signed [SUM_W-1:0] sum_2, sum_3, rounded_4;

    assign word = IS_B ? s_feature_slope : s_feature;
    always_comb begin
      group_1 = '0;
      for (int unsigned k = 0; k < M1; k++)
        group_1[(k/GROUP)*SUM_W+:SUM_W] = group_1[(k/GROUP)*SUM_W+:SUM_W] + SUM_W'(signed'(product_1[k*32+:32]));
      sum_2 = '0;
      for (int unsigned g = 0; g < GROUPS; g++) sum_2 = sum_2 + group_2[g*SUM_W+:SUM_W];
    end

    always_ff @(posedge clk) begin
      if (advance) begin
        for (int unsigned k = 0; k < M1; k++)
          product_1[k*32+:32] <= signed'(s_y[(k*4+C)*16+:16]) * signed'(word[k*16+:16]);
        group_2   <= group_1;
        sum_3     <= sum_2;
        rounded_4 <= SUM_W'(fixed_pkg::rnd(64'(sum_3), IS_B ? b_shift : a_shift));
      end
    end

    if (IS_B) begin : g_b
      always_ff @(posedge clk) begin
        if (advance) begin
          m_b[C*B_BITS+:B_BITS] <= B_BITS'(fixed_pkg::sat(64'(rounded_4), 6'(B_BITS)));
          m_b_clip[C]           <= fixed_pkg::clips(64'(rounded_4), 6'(B_BITS));
        end
      end
    end else begin : g_a
      always_ff @(posedge clk) begin
        if (advance) begin
          m_a[C*A_BITS+:A_BITS] <= A_BITS'(fixed_pkg::sat(64'(rounded_4), 6'(A_BITS)));
          m_a_clip[C]           <= fixed_pkg::clips(64'(rounded_4), 6'(A_BITS));
        end
      end
    end
  end

endmodule

`default_nettype wire
