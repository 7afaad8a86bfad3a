// One hidden layer in both directions (docs/numerics.md, sections 6 and 7): h_l from h_(l-1), and g_(l-1) from g_l once
// it comes back. tanh' waits in a FIFO in between. Clip counts of an atom travel with its gradients: those of the
// layers behind come with the last beat of g_l and leave, this layer's added, with the last beat of g_(l-1).
`default_nettype none

module fitting_layer #(
    parameter int unsigned INPUTS = 128,      // words of h_(l-1)
    parameter int unsigned OUTPUTS = 128,     // words of h_l
    parameter int unsigned LANES = 3,         // words a beat of every stream; words beyond a vector must be zero
    parameter int unsigned TYPES = 4,         // atom types
    parameter int unsigned SEG_BITS = 9,      // tanh_seg_bits
    parameter bit SKIP = 0,                   // whether h_(l-1) is added; needs INPUTS equal to OUTPUTS
    parameter int unsigned WAIT = 256,        // beats of tanh' that can wait, a power of two, at least one vector
    parameter int unsigned COUNT_W = 16,      // bits of a clip count
    localparam int unsigned TYPE_W = TYPES > 1 ? $clog2(TYPES) : 1,
    localparam int unsigned CFG_W = LANES * 16 > 48 ? LANES * 16 : 48
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    // Writes: part 0 weights, 1 biases, 2 transposed weights, 3 tanh table.
    input  wire logic                  cfg_valid,
    input  wire logic [1:0]            cfg_part,
    input  wire logic [15:0]           cfg_output,   // row of the matrix
    input  wire logic [15:0]           cfg_row,      // type * beats + beat; type for a bias; table row
    input  wire logic [CFG_W-1:0]      cfg_data,
    input  wire logic [5:0]            z_shift,      // as in hidden_layer and backward_layer
    input  wire logic [5:0]            tanh_shift,
    input  wire logic [5:0]            g_shift,
    input  wire logic [5:0]            skip_shift,
    input  wire logic                  s_valid,      // h_(l-1)
    output logic                       s_ready,
    input  wire logic [TYPE_W-1:0]     s_type,
    input  wire logic [LANES*16-1:0]   s_word,
    output logic                       h_valid,      // h_l
    input  wire logic                  h_ready,
    output logic                       h_last,
    output logic [TYPE_W-1:0]          h_type,
    output logic [LANES*16-1:0]        h_word,
    input  wire logic                  g_valid,      // g_l
    output logic                       g_ready,
    input  wire logic                  g_last,
    input  wire logic [LANES*16-1:0]   g_word,
    input  wire logic [2*COUNT_W-1:0]  g_clips,      // {GRAD, H}
    output logic                       m_valid,      // g_(l-1)
    input  wire logic                  m_ready,
    output logic                       m_last,
    output logic [LANES*16-1:0]        m_word,
    output logic [2*COUNT_W-1:0]       m_clips
);

  localparam int unsigned FORWARD_ROWS = TYPES * ((INPUTS + LANES - 1) / LANES);
  localparam int unsigned BACK_ROWS = TYPES * ((OUTPUTS + LANES - 1) / LANES);
  localparam int unsigned FORWARD_ROW_W = FORWARD_ROWS > 1 ? $clog2(FORWARD_ROWS) : 1;
  localparam int unsigned BACK_ROW_W = BACK_ROWS > 1 ? $clog2(BACK_ROWS) : 1;
  localparam int unsigned INPUT_W = INPUTS > 1 ? $clog2(INPUTS) : 1;
  localparam int unsigned OUTPUT_W = OUTPUTS > 1 ? $clog2(OUTPUTS) : 1;

  logic act_valid, act_ready, wait_ready, wait_valid;
  logic [LANES*16-1:0] phi, g_phi;
  logic [LANES-1:0] clip, g_clip, grad_clip;
  logic [TYPE_W-1:0] g_type;
  assign h_valid   = act_valid && wait_ready;
  assign act_ready = h_ready && wait_ready;
  hidden_layer #(
      .INPUTS      (INPUTS),
      .OUTPUTS     (OUTPUTS),
      .INPUT_LANES (LANES),
      .OUTPUT_LANES(LANES),
      .TYPES       (TYPES),
      .SEG_BITS    (SEG_BITS),
      .SKIP        (SKIP)
  ) i_forward (
      .clk,
      .rst,
      .cfg_valid    (cfg_valid && cfg_part != 2'd2),
      .cfg_is_tanh  (cfg_part == 2'd3),
      .cfg_is_bias  (cfg_part == 2'd1),
      .cfg_output   (OUTPUT_W'(cfg_output)),
      .cfg_row      (FORWARD_ROW_W'(cfg_row)),
      .cfg_weight   (cfg_data[LANES*16-1:0]),
      .cfg_bias     (cfg_data[31:0]),
      .cfg_tanh_row (cfg_row[14-SEG_BITS:0]),
      .cfg_tanh_coef(cfg_data[47:0]),
      .z_shift,
      .tanh_shift,
      .s_valid,
      .s_ready,
      .s_type,
      .s_word,
      .m_valid      (act_valid),
      .m_ready      (act_ready),
      .m_last       (h_last),
      .m_type       (h_type),
      .m_word       (h_word),
      .m_phi        (phi),
      .m_clip       (clip)
  );

  // One beat of tanh' joins one beat of g_l. A count can always wait where a gradient can.
  logic back_ready, back_valid, join_valid, count_ready, count_valid;
  assign join_valid = g_valid && wait_valid && count_ready;
  assign back_valid = join_valid && back_ready;
  assign g_ready    = wait_valid && count_ready && back_ready;
  stream_fifo #(
      .WIDTH(TYPE_W + LANES * 17),
      .DEPTH(WAIT)
  ) i_wait (
      .clk,
      .rst,
      .s_valid(act_valid && h_ready),
      .s_ready(wait_ready),
      .s_data ({h_type, phi, clip}),
      .m_valid(wait_valid),
      .m_ready(g_valid && count_ready && back_ready),
      .m_data ({g_type, g_phi, g_clip})
  );

  backward_layer #(
      .INPUTS      (OUTPUTS),
      .OUTPUTS     (INPUTS),
      .INPUT_LANES (LANES),
      .OUTPUT_LANES(LANES),
      .TYPES       (TYPES),
      .SKIP        (SKIP)
  ) i_backward (
      .clk,
      .rst,
      .cfg_valid (cfg_valid && cfg_part == 2'd2),
      .cfg_output(INPUT_W'(cfg_output)),
      .cfg_row   (BACK_ROW_W'(cfg_row)),
      .cfg_weight(cfg_data[LANES*16-1:0]),
      .g_shift,
      .skip_shift,
      .s_valid   (join_valid),
      .s_ready   (back_ready),
      .s_type    (g_type),
      .s_grad    (g_word),
      .s_phi     (g_phi),
      .m_valid,
      .m_ready,
      .m_last,
      .m_grad    (m_word),
      .m_clip    (grad_clip)
  );

  logic [COUNT_W-1:0] h_count, grad_count, h_before, grad_before;
  clip_tally #(
      .FLAGS  (LANES),
      .COUNT_W(COUNT_W)
  ) i_h_count (
      .clk,
      .rst,
      .take (back_valid),
      .last (g_last),
      .flags(g_clip),
      .total(h_count)
  );
  clip_tally #(
      .FLAGS  (LANES),
      .COUNT_W(COUNT_W)
  ) i_grad_count (
      .clk,
      .rst,
      .take (m_valid && m_ready),
      .last (m_last),
      .flags(grad_clip),
      .total(grad_count)
  );
  stream_fifo #(
      .WIDTH(2 * COUNT_W),
      .DEPTH(8)
  ) i_counts (
      .clk,
      .rst,
      .s_valid(back_valid && g_last),
      .s_ready(count_ready),
      .s_data ({g_clips[COUNT_W+:COUNT_W], g_clips[COUNT_W-1:0] + h_count}),
      .m_valid(count_valid),
      .m_ready(m_valid && m_ready && m_last),
      .m_data ({grad_before, h_before})
  );
  assign m_clips = {grad_before + grad_count, h_before};
  wire unused = &{1'b0, count_valid, cfg_output, cfg_row, cfg_data};

endmodule

`default_nettype wire
