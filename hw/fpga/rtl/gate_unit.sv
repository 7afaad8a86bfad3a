// Gates of the strip form (docs/numerics.md, section 4): every table word times the gate of its channel and type pair.
// One neighbor a cycle, latency 3. The gates are written at run time; a model without them passes through unchanged.
`default_nettype none

module gate_unit #(
    parameter int unsigned CHANNELS = 32,  // words of G, and as many of its slope
    parameter int unsigned PAIRS = 4,      // ordered type pairs
    localparam int unsigned PAIR_W = PAIRS > 1 ? $clog2(PAIRS) : 1,
    localparam int unsigned LANE_W = CHANNELS > 1 ? $clog2(CHANNELS) : 1
) (
    input  wire logic                     clk,
    input  wire logic                     rst,
    input  wire logic                     cfg_valid,  // write one gate
    input  wire logic [PAIR_W-1:0]        cfg_pair,
    input  wire logic [LANE_W-1:0]        cfg_lane,
    input  wire logic [15:0]              cfg_gate,   // 14 fraction bits
    input  wire logic                     gated,      // the model has gates; constant while beats are in flight
    input  wire logic                     s_valid,
    output logic                          s_ready,
    input  wire logic [PAIR_W-1:0]        s_pair,
    input  wire logic [CHANNELS*16-1:0]   s_value,
    input  wire logic [CHANNELS*16-1:0]   s_slope,
    output logic                          m_valid,
    input  wire logic                     m_ready,
    output logic [CHANNELS*16-1:0]        m_value,
    output logic [CHANNELS*16-1:0]        m_slope
);

  localparam int unsigned STAGES = 3;
  logic advance;
  logic [STAGES-1:0] valid;
  assign advance = m_ready || !m_valid;
  assign s_ready = advance;
  assign m_valid = valid[STAGES-1];

  always_ff @(posedge clk) begin
    if (advance) valid <= {valid[STAGES-2:0], s_valid};
    if (rst) valid <= '0;
  end

  for (genvar k = 0; k < CHANNELS; k++) begin : g_channel
    logic [15:0] memory[PAIRS];
    logic signed [15:0] gate_1, value_1, slope_1;
    logic signed [31:0] value_2, slope_2;

    always_ff @(posedge clk) begin
      if (cfg_valid && cfg_lane == LANE_W'(k)) memory[cfg_pair] <= cfg_gate;
      if (advance) gate_1 <= memory[s_pair];
    end

    // Without gates the product is a shift that the rounding takes back exactly.
    always_ff @(posedge clk) begin
      if (advance) begin
        value_1 <= s_value[k*16+:16];
        slope_1 <= s_slope[k*16+:16];
        value_2 <= gated ? value_1 * gate_1 : 32'(value_1) <<< 15;
        slope_2 <= gated ? slope_1 * gate_1 : 32'(slope_1) <<< 15;
        m_value[k*16+:16] <= 16'(fixed_pkg::rnd(64'(value_2), 6'd15));
        m_slope[k*16+:16] <= 16'(fixed_pkg::rnd(64'(slope_2), 6'd15));
      end
    end
  end

endmodule

`default_nettype wire
