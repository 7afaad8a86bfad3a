// Matrix times vector with exact sums (docs/numerics.md, sections 6 and 7). One multiply-accumulator per output and
// input lane; the input arrives INPUT_LANES words a beat, so a vector takes ceil(INPUTS / INPUT_LANES) beats (the reuse
// factor). Sums leave OUTPUT_LANES words a beat while the next vector is taken. Where lanes do not divide a vector its
// last beat is filled up with zeros, at the entry and at the exit. Weights of every atom type are written at run time;
// a second instance, with the transposed weights and without biases, makes the backward pass.
`default_nettype none

module dense_layer #(
    parameter int unsigned INPUTS = 128,        // words of the input vector
    parameter int unsigned OUTPUTS = 128,       // words of the output vector
    parameter int unsigned INPUT_LANES = 2,     // input words a beat
    parameter int unsigned OUTPUT_LANES = 2,    // output words a beat
    parameter int unsigned TYPES = 4,           // atom types, each with its own weights
    parameter int unsigned SUM_W = 32,          // bits of a sum; a valid model fits 32
    parameter bit BIAS = 1,                     // whether sums start from a bias, or from zero
    localparam int unsigned BEATS = (INPUTS + INPUT_LANES - 1) / INPUT_LANES,
    localparam int unsigned OUT_BEATS = (OUTPUTS + OUTPUT_LANES - 1) / OUTPUT_LANES,
    localparam int unsigned ROWS = TYPES * BEATS,
    localparam int unsigned ROW_W = ROWS > 1 ? $clog2(ROWS) : 1,
    localparam int unsigned TYPE_W = TYPES > 1 ? $clog2(TYPES) : 1,
    localparam int unsigned OUTPUT_W = OUTPUTS > 1 ? $clog2(OUTPUTS) : 1
) (
    input  wire logic                           clk,
    input  wire logic                           rst,
    input  wire logic                           cfg_valid,    // write to the memories of one output
    input  wire logic                           cfg_is_bias,  // its bias for type cfg_row, or a row of weights
    input  wire logic [OUTPUT_W-1:0]            cfg_output,
    input  wire logic [ROW_W-1:0]               cfg_row,      // type * BEATS + beat
    input  wire logic [INPUT_LANES*16-1:0]      cfg_weight,
    input  wire logic [SUM_W-1:0]               cfg_bias,
    input  wire logic                           s_valid,
    output logic                                s_ready,
    input  wire logic [TYPE_W-1:0]              s_type,       // the same in all beats of a vector
    input  wire logic [INPUT_LANES*16-1:0]      s_word,
    output logic                                m_valid,
    input  wire logic                           m_ready,
    output logic                                m_last,
    output logic [TYPE_W-1:0]                   m_type,
    output logic [OUTPUT_LANES*SUM_W-1:0]       m_sum
);

  localparam int unsigned BEAT_W = BEATS > 1 ? $clog2(BEATS) : 1;
  localparam int unsigned LEFT_W = $clog2(OUT_BEATS + 1);
  localparam int unsigned STEP_W = OUTPUT_LANES * SUM_W;
  localparam int unsigned HELD_W = OUT_BEATS * STEP_W;
  localparam int unsigned STAGES = 4;

  // Stages: 1 weights read, 2 products, 3 their sum, 4 accumulator. A finished vector waits in stage 4 until the output
  // is free.
  logic [BEAT_W-1:0] beat;
  logic [STAGES:1] valid, last;
  logic [STAGES*TYPE_W-1:0] types;
  logic [INPUT_LANES*16-1:0] word_1;
  logic [LEFT_W-1:0] left;  // beats of the finished vector still to leave
  logic advance, finish, first_0, first_1, first_2, first_3, last_0;

  assign first_0 = beat == '0;
  assign last_0  = beat == BEAT_W'(BEATS - 1);
  assign finish  = valid[STAGES] && last[STAGES] && (left == '0 || (left == LEFT_W'(1) && m_ready));
  assign advance = !(valid[STAGES] && last[STAGES]) || finish;
  assign s_ready = advance;
  assign m_valid = left != '0;
  assign m_last  = left == LEFT_W'(1);

  logic [ROW_W-1:0] row_0;
  assign row_0 = ROW_W'(s_type) * ROW_W'(BEATS) + ROW_W'(beat);

  always_ff @(posedge clk) begin
    if (advance) begin
      if (s_valid) beat <= last_0 ? '0 : beat + BEAT_W'(1);
      valid   <= {valid[STAGES-1:1], s_valid};
      last    <= {last[STAGES-1:1], last_0};
      types   <= {types[(STAGES-1)*TYPE_W-1:0], s_type};
      first_1 <= first_0;
      first_2 <= first_1;
      first_3 <= first_2;
      word_1  <= s_word;
    end
    if (finish) m_type <= types[STAGES*TYPE_W-1-:TYPE_W];
    if (finish) left <= LEFT_W'(OUT_BEATS);
    else if (m_valid && m_ready) left <= left - LEFT_W'(1);
    if (rst) begin
      beat  <= '0;
      valid <= '0;
      left  <= '0;
    end
  end

  logic [OUTPUTS*SUM_W-1:0] sums;
  logic [HELD_W-1:0] held;
  for (genvar j = 0; j < OUTPUTS; j++) begin : g_output
    logic [INPUT_LANES*16-1:0] weights[ROWS];
    logic [INPUT_LANES*16-1:0] weight_1;
    logic [INPUT_LANES*32-1:0] product_2;
    logic signed [SUM_W-1:0] dot_2, dot_3, bias_3, sum_4;

    always_ff @(posedge clk) begin
      if (cfg_valid && !cfg_is_bias && cfg_output == OUTPUT_W'(j)) weights[cfg_row] <= cfg_weight;
      if (advance) weight_1 <= weights[row_0];
    end

    if (BIAS) begin : g_bias
      logic [SUM_W-1:0] biases[TYPES];
      always_ff @(posedge clk) begin
        if (cfg_valid && cfg_is_bias && cfg_output == OUTPUT_W'(j)) biases[TYPE_W'(cfg_row)] <= cfg_bias;
        if (advance) bias_3 <= biases[types[2*TYPE_W-1-:TYPE_W]];
      end
    end else begin : g_no_bias
      assign bias_3 = '0;
    end

    always_comb begin
      dot_2 = '0;
      for (int unsigned i = 0; i < INPUT_LANES; i++) dot_2 = dot_2 + SUM_W'(signed'(product_2[i*32+:32]));
    end

    always_ff @(posedge clk) begin
      if (advance) begin
        for (int unsigned i = 0; i < INPUT_LANES; i++)
          product_2[i*32+:32] <= signed'(weight_1[i*16+:16]) * signed'(word_1[i*16+:16]);
        dot_3 <= dot_2;
        if (valid[3]) sum_4 <= (first_3 ? bias_3 : sum_4) + dot_3;
      end
    end
    assign sums[j*SUM_W+:SUM_W] = sum_4;
  end
  if (!BIAS) begin : g_unused
    wire unused = &{1'b0, cfg_bias};
  end

  always_ff @(posedge clk) begin
    if (finish) held <= HELD_W'(sums);
    else if (m_valid && m_ready) held <= held >> STEP_W;
  end
  assign m_sum = held[STEP_W-1:0];

endmodule

`default_nettype wire
