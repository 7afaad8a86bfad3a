// One hidden layer of the fitting network, backward (docs/numerics.md, section 7): g_(l-1) from g_l and tanh'.
// Its dense_layer holds the transposed weights.
`default_nettype none

module backward_layer #(
    parameter int unsigned INPUTS = 128,      // words of g_l, neurons of the layer
    parameter int unsigned OUTPUTS = 128,     // words of g_(l-1)
    parameter int unsigned INPUT_LANES = 2,   // input words a beat; words beyond the vector must be zero
    parameter int unsigned OUTPUT_LANES = 2,  // output words a beat; as INPUT_LANES with SKIP
    parameter int unsigned TYPES = 4,         // atom types
    parameter bit SKIP = 0,                   // whether the layer adds its input; needs INPUTS equal to OUTPUTS
    localparam int unsigned BEATS = (INPUTS + INPUT_LANES - 1) / INPUT_LANES,
    localparam int unsigned ROWS = TYPES * BEATS,
    localparam int unsigned ROW_W = ROWS > 1 ? $clog2(ROWS) : 1,
    localparam int unsigned TYPE_W = TYPES > 1 ? $clog2(TYPES) : 1,
    localparam int unsigned OUTPUT_W = OUTPUTS > 1 ? $clog2(OUTPUTS) : 1
) (
    input  wire logic                        clk,
    input  wire logic                        rst,
    input  wire logic                        cfg_valid,    // write to dense_layer
    input  wire logic [OUTPUT_W-1:0]         cfg_output,
    input  wire logic [ROW_W-1:0]            cfg_row,
    input  wire logic [INPUT_LANES*16-1:0]   cfg_weight,
    input  wire logic [5:0]                  g_shift,      // grad_frac[l] + weight_frac[l] - grad_frac[l-1]
    input  wire logic [5:0]                  skip_shift,   // weight_frac[l]
    input  wire logic                        s_valid,
    output logic                             s_ready,
    input  wire logic [TYPE_W-1:0]           s_type,
    input  wire logic [INPUT_LANES*16-1:0]   s_grad,
    input  wire logic [INPUT_LANES*16-1:0]   s_phi,
    output logic                             m_valid,
    input  wire logic                        m_ready,
    output logic                             m_last,
    output logic [OUTPUT_LANES*16-1:0]       m_grad,
    output logic [OUTPUT_LANES-1:0]          m_clip
);

  logic fifo_ready, dense_ready, advance;
  logic gz_valid;
  logic [TYPE_W-1:0] gz_type;
  logic [INPUT_LANES*16-1:0] gz;
  assign advance = dense_ready || !gz_valid;
  assign s_ready = advance && fifo_ready;

  always_ff @(posedge clk) begin
    if (advance) begin
      gz_valid <= s_valid && fifo_ready;
      gz_type  <= s_type;
      for (int unsigned i = 0; i < INPUT_LANES; i++)
        gz[i*16+:16] <= 16'(fixed_pkg::rnd(64'(signed'(s_grad[i*16+:16])) * 64'(signed'(s_phi[i*16+:16])), 6'd15));
    end
    if (rst) gz_valid <= 1'b0;
  end

  logic sum_valid, sum_ready, sum_last;
  logic [TYPE_W-1:0] sum_type;
  logic [OUTPUT_LANES*32-1:0] sum, total;
  wire unused = &{1'b0, sum_type};
  dense_layer #(
      .INPUTS      (INPUTS),
      .OUTPUTS     (OUTPUTS),
      .INPUT_LANES (INPUT_LANES),
      .OUTPUT_LANES(OUTPUT_LANES),
      .TYPES       (TYPES),
      .BIAS        (0)
  ) i_dense (
      .clk,
      .rst,
      .cfg_valid,
      .cfg_is_bias(1'b0),
      .cfg_output,
      .cfg_row,
      .cfg_weight,
      .cfg_bias   (32'd0),
      .s_valid    (gz_valid),
      .s_ready    (dense_ready),
      .s_type     (gz_type),
      .s_word     (gz),
      .m_valid    (sum_valid),
      .m_ready    (sum_ready),
      .m_last     (sum_last),
      .m_type     (sum_type),
      .m_sum      (sum)
  );

  // A beat of sums follows all beats of its input vector, so the word to add is there already.
  logic [OUTPUT_LANES*16-1:0] carried;
  if (SKIP) begin : g_skip
    logic carried_valid;
    wire unused_skip = &{1'b0, carried_valid};
    stream_fifo #(
        .WIDTH(INPUT_LANES * 16),
        .DEPTH(1 << $clog2(2 * BEATS + 16))
    ) i_carry (
        .clk,
        .rst,
        .s_valid(s_valid && advance),
        .s_ready(fifo_ready),
        .s_data (s_grad),
        .m_valid(carried_valid),
        .m_ready(sum_valid && sum_ready),
        .m_data (carried)
    );
  end else begin : g_no_skip
    assign fifo_ready = 1'b1;
    assign carried = '0;
  end

  for (genvar i = 0; i < OUTPUT_LANES; i++) begin : g_lane
    assign total[i*32+:32] = sum[i*32+:32] + (32'(signed'(carried[i*16+:16])) << skip_shift);
  end

  round_saturate #(
      .LANES(OUTPUT_LANES),
      .IN_W (32),
      .OUT_W(16)
  ) i_round (
      .clk,
      .rst,
      .shift  (g_shift),
      .s_valid(sum_valid),
      .s_ready(sum_ready),
      .s_last (sum_last),
      .s_word (total),
      .m_valid,
      .m_ready,
      .m_last,
      .m_word (m_grad),
      .m_clip
  );

endmodule

`default_nettype wire
