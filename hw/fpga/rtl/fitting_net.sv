// The fitting network of one atom after another, forward and backward (docs/numerics.md, sections 6 and 7):
// D in; E_net and dE/dD out. Hidden layers have one width; all but the first add their input when SKIP is set.
// The energy and the clip counts of an atom belong to its last beat.
`default_nettype none

module fitting_net #(
    parameter int unsigned LAYERS = 3,        // hidden layers
    parameter int unsigned INPUTS = 128,      // words of D
    parameter int unsigned WIDTH = 128,       // neurons of each hidden layer
    parameter int unsigned LANES = 3,         // words a beat of every stream; words beyond a vector must be zero
    parameter int unsigned TYPES = 4,         // atom types
    parameter int unsigned SEG_BITS = 9,      // tanh_seg_bits
    parameter bit SKIP = 1,                   // skip connections of layers 2 … LAYERS
    parameter int unsigned COUNT_W = 16,      // bits of a clip count
    localparam int unsigned TYPE_W = TYPES > 1 ? $clog2(TYPES) : 1,
    localparam int unsigned CFG_W = LANES * 16 > 48 ? LANES * 16 : 48
) (
    input  wire logic                      clk,
    input  wire logic                      rst,
    // Writes: part 0 weights, 1 biases, 2 transposed weights, 3 tanh table of all layers; layer LAYERS is the output
    // row, with parts 0 and 1.
    input  wire logic                      cfg_valid,
    input  wire logic [1:0]                cfg_part,
    input  wire logic [3:0]                cfg_layer,
    input  wire logic [15:0]               cfg_output,   // row of the matrix
    input  wire logic [15:0]               cfg_row,      // type * beats + beat; type for a bias; table row
    input  wire logic [CFG_W-1:0]          cfg_data,     // LANES weights, a bias, or {c2, c1, c0}
    // Constants of the model, kept while atoms are in flight; one field a layer, layer 1 lowest.
    input  wire logic [LAYERS*6-1:0]       z_shift,
    input  wire logic [LAYERS*6-1:0]       g_shift,
    input  wire logic [LAYERS*6-1:0]       skip_shift,
    input  wire logic [5:0]                tanh_shift,
    input  wire logic [5:0]                e_shift,
    input  wire logic                      s_valid,
    output logic                           s_ready,
    input  wire logic [TYPE_W-1:0]         s_type,
    input  wire logic [LANES*16-1:0]       s_word,       // D
    output logic                           m_valid,
    input  wire logic                      m_ready,
    output logic                           m_last,
    output logic [LANES*16-1:0]            m_grad,       // dE/dD
    output logic signed [31:0]             m_energy,     // E_net
    output logic [COUNT_W-1:0]             m_h_clips,    // words clipped at stage H
    output logic [COUNT_W-1:0]             m_grad_clips  // words clipped at stage GRAD
);

  localparam int unsigned BEATS = (WIDTH + LANES - 1) / LANES;
  localparam int unsigned INPUT_BEATS = (INPUTS + LANES - 1) / LANES;
  localparam int unsigned OUT_ROWS = TYPES * BEATS;
  localparam int unsigned OUT_ROW_W = OUT_ROWS > 1 ? $clog2(OUT_ROWS) : 1;

  // Forward stream l enters layer l + 1, backward stream l leaves it; streams LAYERS meet the output row.
  logic [LAYERS:0] h_valid, h_ready, h_last, g_valid, g_ready, g_last;
  logic [LAYERS:0][TYPE_W-1:0] h_type;
  logic [LAYERS:0][LANES*16-1:0] h_word, g_word;
  logic [LAYERS:0][2*COUNT_W-1:0] g_clips;
  assign h_valid[0] = s_valid;
  assign s_ready    = h_ready[0];
  assign h_last[0]  = 1'b0;
  assign h_type[0]  = s_type;
  assign h_word[0]  = s_word;
  assign g_clips[LAYERS] = '0;
  wire unused = &{1'b0, h_last[0]};

  for (genvar l = 0; l < LAYERS; l++) begin : g_layer
    // Latency from tanh' to the gradient that meets it: the layers behind, in both directions, and some slack.
    localparam int unsigned BEHIND = (LAYERS - 1 - l) * (2 * BEATS + 20) + 16;
    localparam int unsigned WAIT = BEHIND > BEATS ? BEHIND : BEATS;
    fitting_layer #(
        .INPUTS (l == 0 ? INPUTS : WIDTH),
        .OUTPUTS(WIDTH),
        .LANES  (LANES),
        .TYPES  (TYPES),
        .SEG_BITS(SEG_BITS),
        .SKIP   (SKIP && l > 0),
        .WAIT   (1 << $clog2(WAIT)),
        .COUNT_W(COUNT_W)
    ) i_layer (
        .clk,
        .rst,
        .cfg_valid (cfg_valid && (cfg_part == 2'd3 || cfg_layer == 4'(l))),
        .cfg_part,
        .cfg_output,
        .cfg_row,
        .cfg_data,
        .z_shift   (z_shift[l*6+:6]),
        .tanh_shift,
        .g_shift   (g_shift[l*6+:6]),
        .skip_shift(skip_shift[l*6+:6]),
        .s_valid   (h_valid[l]),
        .s_ready   (h_ready[l]),
        .s_type    (h_type[l]),
        .s_word    (h_word[l]),
        .h_valid   (h_valid[l+1]),
        .h_ready   (h_ready[l+1]),
        .h_last    (h_last[l+1]),
        .h_type    (h_type[l+1]),
        .h_word    (h_word[l+1]),
        .g_valid   (g_valid[l+1]),
        .g_ready   (g_ready[l+1]),
        .g_last    (g_last[l+1]),
        .g_word    (g_word[l+1]),
        .g_clips   (g_clips[l+1]),
        .m_valid   (g_valid[l]),
        .m_ready   (g_ready[l]),
        .m_last    (g_last[l]),
        .m_word    (g_word[l]),
        .m_clips   (g_clips[l])
    );
  end

  // Energies wait while their gradients pass every layer: at most a few atoms in each.
  localparam int unsigned ATOMS_BEHIND = LAYERS * (2 + 20 / (BEATS < INPUT_BEATS ? BEATS : INPUT_BEATS)) + 4;
  logic e_valid;
  logic signed [31:0] e_word;
  output_row #(
      .INPUTS  (WIDTH),
      .LANES   (LANES),
      .TYPES   (TYPES),
      .ENERGIES(1 << $clog2(ATOMS_BEHIND))
  ) i_output (
      .clk,
      .rst,
      .cfg_valid  (cfg_valid && cfg_layer == 4'(LAYERS) && cfg_part < 2'd2),
      .cfg_is_bias(cfg_part == 2'd1),
      .cfg_row    (OUT_ROW_W'(cfg_row)),
      .cfg_weight (cfg_data[LANES*16-1:0]),
      .cfg_bias   (cfg_data[31:0]),
      .e_shift,
      .s_valid    (h_valid[LAYERS]),
      .s_ready    (h_ready[LAYERS]),
      .s_last     (h_last[LAYERS]),
      .s_type     (h_type[LAYERS]),
      .s_word     (h_word[LAYERS]),
      .g_valid    (g_valid[LAYERS]),
      .g_ready    (g_ready[LAYERS]),
      .g_last     (g_last[LAYERS]),
      .g_word     (g_word[LAYERS]),
      .e_valid,
      .e_ready    (m_valid && m_ready && m_last),
      .e_word
  );

  // The last gradients leave together with the energy of their atom.
  logic complete;
  assign complete   = !g_last[0] || e_valid;
  assign m_valid    = g_valid[0] && complete;
  assign g_ready[0] = m_ready && complete;
  assign m_last     = g_last[0];
  assign m_grad     = g_word[0];
  assign m_energy   = m_last ? e_word : '0;
  assign {m_grad_clips, m_h_clips} = m_last ? g_clips[0] : '0;

endmodule

`default_nettype wire
