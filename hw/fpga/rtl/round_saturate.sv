// Round and saturate a vector of words; say which were clipped. One beat a cycle, latency 2.
`default_nettype none

module round_saturate #(
    parameter int unsigned LANES = 1,  // words a beat
    parameter int unsigned IN_W = 48,  // bits of an input word, at most 63
    parameter int unsigned OUT_W = 16  // bits of an output word
) (
    input  wire logic                      clk,
    input  wire logic                      rst,
    input  wire logic [5:0]                shift,    // right shift, constant while beats are in flight
    input  wire logic                      s_valid,
    output logic                           s_ready,
    input  wire logic                      s_last,
    input  wire logic [LANES*IN_W-1:0]     s_word,
    output logic                           m_valid,
    input  wire logic                      m_ready,
    output logic                           m_last,
    output logic [LANES*OUT_W-1:0]         m_word,
    output logic [LANES-1:0]               m_clip
);

  logic advance;
  logic valid_q, last_q;
  assign advance = m_ready || !m_valid;
  assign s_ready = advance;

  always_ff @(posedge clk) begin
    if (advance) begin
      valid_q <= s_valid;
      last_q  <= s_last;
      m_valid <= valid_q;
      m_last  <= last_q;
    end
    if (rst) begin
      valid_q <= 1'b0;
      m_valid <= 1'b0;
    end
  end

  for (genvar i = 0; i < LANES; i++) begin : g_lane
    logic signed [IN_W-1:0] rounded;
    always_ff @(posedge clk) begin
      if (advance) begin
        rounded <= IN_W'(fixed_pkg::rnd(64'(signed'(s_word[i*IN_W+:IN_W])), shift));
        m_word[i*OUT_W+:OUT_W] <= OUT_W'(fixed_pkg::sat(64'(rounded), 6'(OUT_W)));
        m_clip[i] <= fixed_pkg::clips(64'(rounded), 6'(OUT_W));
      end
    end
  end

endmodule

`default_nettype wire
