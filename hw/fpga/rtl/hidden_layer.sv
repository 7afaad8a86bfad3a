// One hidden layer of the fitting network, forward (docs/numerics.md, section 6): h_l and tanh' of every neuron.
// A skip connection adds the input vector, which waits in a FIFO while its sums are formed.
`default_nettype none

module hidden_layer #(
    parameter int unsigned INPUTS = 128,      // words of h_(l-1)
    parameter int unsigned OUTPUTS = 128,     // words of h_l
    parameter int unsigned INPUT_LANES = 2,   // input words a beat; words beyond the vector must be zero
    parameter int unsigned OUTPUT_LANES = 2,  // output words a beat; as INPUT_LANES with SKIP
    parameter int unsigned TYPES = 4,         // atom types
    parameter int unsigned SEG_BITS = 9,      // tanh_seg_bits
    parameter bit SKIP = 0,                   // whether h_(l-1) is added; needs INPUTS equal to OUTPUTS
    localparam int unsigned BEATS = (INPUTS + INPUT_LANES - 1) / INPUT_LANES,
    localparam int unsigned ROWS = TYPES * BEATS,
    localparam int unsigned ROW_W = ROWS > 1 ? $clog2(ROWS) : 1,
    localparam int unsigned TYPE_W = TYPES > 1 ? $clog2(TYPES) : 1,
    localparam int unsigned OUTPUT_W = OUTPUTS > 1 ? $clog2(OUTPUTS) : 1
) (
    input  wire logic                        clk,
    input  wire logic                        rst,
    input  wire logic                        cfg_valid,    // write to dense_layer, or to the tanh table
    input  wire logic                        cfg_is_tanh,
    input  wire logic                        cfg_is_bias,
    input  wire logic [OUTPUT_W-1:0]         cfg_output,
    input  wire logic [ROW_W-1:0]            cfg_row,
    input  wire logic [INPUT_LANES*16-1:0]   cfg_weight,
    input  wire logic [31:0]                 cfg_bias,
    input  wire logic [14-SEG_BITS:0]        cfg_tanh_row,
    input  wire logic [47:0]                 cfg_tanh_coef,
    input  wire logic [5:0]                  z_shift,      // fraction bits of the sums above z_frac
    input  wire logic [5:0]                  tanh_shift,
    input  wire logic                        s_valid,
    output logic                             s_ready,
    input  wire logic [TYPE_W-1:0]           s_type,
    input  wire logic [INPUT_LANES*16-1:0]   s_word,
    output logic                             m_valid,
    input  wire logic                        m_ready,
    output logic                             m_last,
    output logic [TYPE_W-1:0]                m_type,
    output logic [OUTPUT_LANES*16-1:0]       m_word,
    output logic [OUTPUT_LANES*16-1:0]       m_phi,
    output logic [OUTPUT_LANES-1:0]          m_clip
);

  logic dense_ready, fifo_ready;
  assign s_ready = dense_ready && fifo_ready;

  logic sum_valid, sum_ready, sum_last;
  logic [TYPE_W-1:0] sum_type;
  logic [OUTPUT_LANES*32-1:0] sum;
  dense_layer #(
      .INPUTS      (INPUTS),
      .OUTPUTS     (OUTPUTS),
      .INPUT_LANES (INPUT_LANES),
      .OUTPUT_LANES(OUTPUT_LANES),
      .TYPES       (TYPES)
  ) i_dense (
      .clk,
      .rst,
      .cfg_valid(cfg_valid && !cfg_is_tanh),
      .cfg_is_bias,
      .cfg_output,
      .cfg_row,
      .cfg_weight,
      .cfg_bias,
      .s_valid  (s_valid && fifo_ready),
      .s_ready  (dense_ready),
      .s_type,
      .s_word,
      .m_valid  (sum_valid),
      .m_ready  (sum_ready),
      .m_last   (sum_last),
      .m_type   (sum_type),
      .m_sum    (sum)
  );

  logic act_valid, advance, act_last;
  logic [TYPE_W-1:0] act_type;
  logic [OUTPUT_LANES*16-1:0] act, phi;
  tanh_unit #(
      .LANES   (OUTPUT_LANES),
      .SEG_BITS(SEG_BITS),
      .USER_W  (TYPE_W + 1)
  ) i_tanh (
      .clk,
      .rst,
      .cfg_valid  (cfg_valid && cfg_is_tanh),
      .cfg_row    (cfg_tanh_row),
      .cfg_coef   (cfg_tanh_coef),
      .table_shift(tanh_shift),
      .s_valid    (sum_valid),
      .s_ready    (sum_ready),
      .s_shift    (z_shift),
      .s_sum      (sum),
      .s_user     ({sum_last, sum_type}),
      .m_valid    (act_valid),
      .m_ready    (advance),
      .m_act      (act),
      .m_phi      (phi),
      .m_user     ({act_last, act_type})
  );

  // A beat of activations follows all beats of its input vector, so the word to add is there already.
  logic [OUTPUT_LANES*16-1:0] carried;
  if (SKIP) begin : g_skip
    logic carried_valid;
    wire unused = &{1'b0, carried_valid};
    stream_fifo #(
        .WIDTH(INPUT_LANES * 16),
        .DEPTH(1 << $clog2(2 * BEATS + 16))
    ) i_carry (
        .clk,
        .rst,
        .s_valid(s_valid && dense_ready),
        .s_ready(fifo_ready),
        .s_data (s_word),
        .m_valid(carried_valid),
        .m_ready(act_valid && advance),
        .m_data (carried)
    );
  end else begin : g_no_skip
    assign fifo_ready = 1'b1;
    assign carried = '0;
  end

  assign advance = m_ready || !m_valid;
  always_ff @(posedge clk) begin
    if (advance) begin
      m_valid <= act_valid;
      m_last  <= act_last;
      m_type  <= act_type;
      m_phi   <= phi;
    end
    if (rst) m_valid <= 1'b0;
  end

  // Lanes beyond the vector in its last beat stay zero, whatever the table gives there.
  localparam int unsigned LAST_WORDS = OUTPUTS - (OUTPUTS - 1) / OUTPUT_LANES * OUTPUT_LANES;
  for (genvar i = 0; i < OUTPUT_LANES; i++) begin : g_lane
    logic signed [16:0] total;
    logic absent;
    assign absent = act_last && i >= LAST_WORDS;
    assign total  = absent ? '0 : 17'(signed'(act[i*16+:16])) + 17'(signed'(carried[i*16+:16]));
    always_ff @(posedge clk) begin
      if (advance) begin
        m_word[i*16+:16] <= 16'(fixed_pkg::sat(64'(total), 6'd16));
        m_clip[i]        <= fixed_pkg::clips(64'(total), 6'd16);
      end
    end
  end

endmodule

`default_nettype wire
