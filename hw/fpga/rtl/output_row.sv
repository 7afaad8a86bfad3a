// The output row of the fitting network (docs/numerics.md, sections 6 and 7): h_L in; E_net, and its weights as g_L, the
// start of the backward pass, beat by beat as h_L comes. E_net follows its atom's last beat of g_L by a few cycles.
`default_nettype none

module output_row #(
    parameter int unsigned INPUTS = 128,      // words of h_L
    parameter int unsigned LANES = 3,         // words a beat; words beyond the vector must be zero
    parameter int unsigned TYPES = 4,         // atom types
    parameter int unsigned ENERGIES = 16,     // energies that can wait, a power of two
    localparam int unsigned BEATS = (INPUTS + LANES - 1) / LANES,
    localparam int unsigned ROWS = TYPES * BEATS,
    localparam int unsigned ROW_W = ROWS > 1 ? $clog2(ROWS) : 1,
    localparam int unsigned TYPE_W = TYPES > 1 ? $clog2(TYPES) : 1
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    input  wire logic                  cfg_valid,     // write a row of weights, or the bias of type cfg_row
    input  wire logic                  cfg_is_bias,
    input  wire logic [ROW_W-1:0]      cfg_row,       // type * BEATS + beat
    input  wire logic [LANES*16-1:0]   cfg_weight,
    input  wire logic [31:0]           cfg_bias,
    input  wire logic [5:0]            e_shift,       // weight_frac[L+1] + act_frac[L] - e_frac
    input  wire logic                  s_valid,
    output logic                       s_ready,
    input  wire logic                  s_last,
    input  wire logic [TYPE_W-1:0]     s_type,
    input  wire logic [LANES*16-1:0]   s_word,
    output logic                       g_valid,       // g_L
    input  wire logic                  g_ready,
    output logic                       g_last,
    output logic [LANES*16-1:0]        g_word,
    output logic                       e_valid,       // E_net
    input  wire logic                  e_ready,
    output logic signed [31:0]         e_word
);

  localparam int unsigned BEAT_W = BEATS > 1 ? $clog2(BEATS) : 1;
  logic dense_ready, advance;
  assign advance = g_ready || !g_valid;
  assign s_ready = advance && dense_ready;

  logic [LANES*16-1:0] weights[ROWS];
  logic [BEAT_W-1:0] beat;
  always_ff @(posedge clk) begin
    if (cfg_valid && !cfg_is_bias) weights[cfg_row] <= cfg_weight;
    if (advance) g_word <= weights[ROW_W'(s_type)*ROW_W'(BEATS)+ROW_W'(beat)];
  end
  always_ff @(posedge clk) begin
    if (s_valid && s_ready) beat <= s_last ? '0 : beat + BEAT_W'(1);
    if (advance) begin
      g_valid <= s_valid && dense_ready;
      g_last  <= s_last;
    end
    if (rst) begin
      beat    <= '0;
      g_valid <= 1'b0;
    end
  end

  logic sum_valid, sum_ready, sum_last;
  logic [TYPE_W-1:0] sum_type;
  logic [31:0] sum;
  wire unused = &{1'b0, sum_last, sum_type};
  dense_layer #(
      .INPUTS      (INPUTS),
      .OUTPUTS     (1),
      .INPUT_LANES (LANES),
      .OUTPUT_LANES(1),
      .TYPES       (TYPES)
  ) i_energy (
      .clk,
      .rst,
      .cfg_valid,
      .cfg_is_bias,
      .cfg_output(1'b0),
      .cfg_row,
      .cfg_weight,
      .cfg_bias,
      .s_valid   (s_valid && advance),
      .s_ready   (dense_ready),
      .s_type,
      .s_word,
      .m_valid   (sum_valid),
      .m_ready   (sum_ready),
      .m_last    (sum_last),
      .m_type    (sum_type),
      .m_sum     (sum)
  );
  stream_fifo #(
      .WIDTH(32),
      .DEPTH(ENERGIES)
  ) i_energies (
      .clk,
      .rst,
      .s_valid(sum_valid),
      .s_ready(sum_ready),
      .s_data (32'(fixed_pkg::rnd(64'(signed'(sum)), e_shift))),
      .m_valid(e_valid),
      .m_ready(e_ready),
      .m_data (e_word)
  );

endmodule

`default_nettype wire
