// Turns a vector that comes IN_LANES words a beat into one that leaves OUT_LANES a beat. The next vector fills while
// this one leaves. Words beyond WORDS in the last beat are dropped at the entry and zero at the exit.
`default_nettype none

module regroup #(
    parameter int unsigned WORDS = 128,      // words of a vector
    parameter int unsigned WORD_W = 16,      // bits of a word
    parameter int unsigned IN_LANES = 4,     // words a beat at the entry
    parameter int unsigned OUT_LANES = 2,    // words a beat at the exit
    parameter int unsigned USER_W = 1        // bits that belong to a vector, taken with its last beat
) (
    input  wire logic                          clk,
    input  wire logic                          rst,
    input  wire logic                          s_valid,
    output logic                               s_ready,
    input  wire logic                          s_last,
    input  wire logic [IN_LANES*WORD_W-1:0]    s_word,
    input  wire logic [USER_W-1:0]             s_user,
    output logic                               m_valid,
    input  wire logic                          m_ready,
    output logic                               m_last,
    output logic [OUT_LANES*WORD_W-1:0]        m_word,
    output logic [USER_W-1:0]                  m_user
);

  localparam int unsigned IN_BEATS = (WORDS + IN_LANES - 1) / IN_LANES;
  localparam int unsigned OUT_BEATS = (WORDS + OUT_LANES - 1) / OUT_LANES;
  localparam int unsigned IN_W = IN_BEATS * IN_LANES * WORD_W;
  localparam int unsigned OUT_W = OUT_BEATS * OUT_LANES * WORD_W;
  localparam int unsigned LEFT_W = $clog2(OUT_BEATS + 1);

  // `filling` shifts down as beats enter; when the last has come the vector waits until the exit is free.
  logic [IN_W-1:0] filling;
  logic [OUT_W-1:0] leaving;
  logic [USER_W-1:0] user;
  logic full, move;
  logic [LEFT_W-1:0] left;
  assign move    = full && (left == '0 || (left == LEFT_W'(1) && m_ready));
  assign s_ready = !full || move;
  assign m_valid = left != '0;
  assign m_last  = left == LEFT_W'(1);
  assign m_word  = leaving[OUT_LANES*WORD_W-1:0];

  always_ff @(posedge clk) begin
    if (s_valid && s_ready) begin
      filling <= IN_W'({s_word, filling} >> (IN_LANES * WORD_W));
      user    <= s_user;
    end
    if (s_ready) full <= s_valid && s_last;
    if (move) begin
      leaving <= OUT_W'(filling[WORDS*WORD_W-1:0]);
      m_user  <= user;
      left    <= LEFT_W'(OUT_BEATS);
    end else if (m_valid && m_ready) begin
      leaving <= leaving >> (OUT_LANES * WORD_W);
      left    <= left - LEFT_W'(1);
    end
    if (rst) begin
      full <= 1'b0;
      left <= '0;
    end
  end

endmodule

`default_nettype wire
