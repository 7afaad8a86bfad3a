// Derivative of the energy with respect to X (docs/numerics.md, section 7): Y from the rows of dE/dD and the columns of
// X, COLUMNS of both a beat. Y leaves in one beat, five cycles after the last rows; the next atom comes in meanwhile.
`default_nettype none

module descriptor_grad #(
    parameter int unsigned M1 = 32,           // columns of X and of Y
    parameter int unsigned M2 = 4,            // axis columns
    parameter int unsigned COLUMNS = 1,       // columns of X and rows of dE/dD a beat; divides M1
    parameter int unsigned X_BITS = 15,       // bits of a word of X
    parameter int unsigned COUNT_W = 16       // bits of a clip count
) (
    input  wire logic                            clk,
    input  wire logic                            rst,
    input  wire logic [5:0]                      y_shift,   // right shift, constant while atoms are in flight
    input  wire logic                            s_valid,
    output logic                                 s_ready,
    input  wire logic [COLUMNS*M2*16-1:0]        s_grad,    // gD_km: row k by row k, m = 0 … M2 - 1
    input  wire logic [COLUMNS*4*X_BITS-1:0]     s_x,       // X_ck: column by column, c = 0 … 3
    input  wire logic [M2*4*X_BITS-1:0]          s_axis,    // the first M2 columns of X, in every beat
    output logic                                 m_valid,
    input  wire logic                            m_ready,
    output logic [M1*4*16-1:0]                   m_y,       // Y_ck: column by column, c = 0 … 3
    output logic [COUNT_W-1:0]                   m_clips    // words of Y that were clipped
);

  localparam int unsigned BEATS = M1 / COLUMNS;
  localparam int unsigned BEAT_W = BEATS > 1 ? $clog2(BEATS) : 1;
  localparam int unsigned SUM_W = 32 + $clog2(M1 + M2);
  localparam int unsigned WORDS = COLUMNS * 4;
  localparam int unsigned AXIS_WORDS = M2 * 4;

  // Stages: 1 products, 2 sums, 3 rounded columns and the two parts of the axis columns, 4 all columns of an atom.
  // The axis columns need the whole atom: their first part waits in stage 3 for the sum over all rows.
  logic [4:1] valid, last;
  logic [BEAT_W-1:0] beat, beat_1, beat_2, beat_3;
  logic advance, finish;
  assign finish  = valid[4] && last[4] && (m_ready || !m_valid);
  assign advance = !(valid[4] && last[4]) || finish;
  assign s_ready = advance;

  always_ff @(posedge clk) begin
    if (advance) begin
      if (s_valid) beat <= beat == BEAT_W'(BEATS - 1) ? '0 : beat + BEAT_W'(1);
      valid  <= {valid[3:1], s_valid};
      last   <= {last[3:1], beat == BEAT_W'(BEATS - 1)};
      beat_1 <= beat;
      beat_2 <= beat_1;
      beat_3 <= beat_2;
    end
    if (rst) begin
      valid <= '0;
      beat  <= '0;
    end
  end

  // Every column: sums over m.
  logic [WORDS*SUM_W-1:0] column_2;  // the axis columns are taken from here
  wire unused = &{1'b0, column_2};
  logic [WORDS*16-1:0] word_3;
  logic [WORDS-1:0] clip_3;
  for (genvar i = 0; i < COLUMNS; i++) begin : g_column
    for (genvar c = 0; c < 4; c++) begin : g_component
      localparam int unsigned AT = i * 4 + c;
      logic [M2*31-1:0] product_1;
      logic signed [SUM_W-1:0] sum_1, sum_2, rounded_3;
      always_comb begin
        sum_1 = '0;
        for (int unsigned m = 0; m < M2; m++) sum_1 = sum_1 + SUM_W'(signed'(product_1[m*31+:31]));
      end
      always_ff @(posedge clk) begin
        if (advance) begin
          for (int unsigned m = 0; m < M2; m++)
            product_1[m*31+:31] <= 31'(signed'(s_grad[(i*M2+m)*16+:16])) * 31'(signed'(s_axis[(m*4+c)*X_BITS+:X_BITS]));
          sum_2     <= sum_1;
          rounded_3 <= SUM_W'(fixed_pkg::rnd(64'(sum_2), y_shift));
        end
      end
      assign column_2[AT*SUM_W+:SUM_W] = sum_2;
      assign word_3[AT*16+:16] = 16'(fixed_pkg::sat(64'(rounded_3), 6'd16));
      assign clip_3[AT] = fixed_pkg::clips(64'(rounded_3), 6'd16) && 32'(beat_3) * COLUMNS + i >= M2;
    end
  end

  // The axis columns: the same sums, kept from the first beats, and the sums over all rows.
  logic [AXIS_WORDS*16-1:0] axis_word_4;
  logic [AXIS_WORDS-1:0] axis_clip_4;
  for (genvar m = 0; m < M2; m++) begin : g_axis
    for (genvar c = 0; c < 4; c++) begin : g_component
      localparam int unsigned AT = m * 4 + c;
      localparam int unsigned FROM = (m % COLUMNS) * 4 + c;
      logic [COLUMNS*31-1:0] product_1;
      logic signed [SUM_W-1:0] sum_1, rows_2, rows_3, first_3, rounded_4;
      always_comb begin
        sum_1 = beat_1 == '0 ? '0 : rows_2;
        for (int unsigned i = 0; i < COLUMNS; i++) sum_1 = sum_1 + SUM_W'(signed'(product_1[i*31+:31]));
      end
      always_ff @(posedge clk) begin
        if (advance) begin
          for (int unsigned i = 0; i < COLUMNS; i++)
            product_1[i*31+:31] <= 31'(signed'(s_grad[(i*M2+m)*16+:16])) * 31'(signed'(s_x[(i*4+c)*X_BITS+:X_BITS]));
          if (valid[1]) rows_2 <= sum_1;
          rows_3 <= rows_2;
          if (valid[2] && beat_2 == BEAT_W'(m / COLUMNS)) first_3 <= column_2[FROM*SUM_W+:SUM_W];
          if (valid[3] && last[3]) rounded_4 <= SUM_W'(fixed_pkg::rnd(64'(first_3 + rows_3), y_shift));
        end
      end
      assign axis_word_4[AT*16+:16] = 16'(fixed_pkg::sat(64'(rounded_4), 6'd16));
      assign axis_clip_4[AT] = fixed_pkg::clips(64'(rounded_4), 6'd16);
    end
  end

  logic [M1*4*16-1:0] y_4;
  logic [COUNT_W-1:0] clips_3, clips_4, clips;
  clip_tally #(
      .FLAGS  (WORDS),
      .COUNT_W(COUNT_W)
  ) i_tally (
      .clk,
      .rst,
      .take (advance && valid[3]),
      .last (last[3]),
      .flags(clip_3),
      .total(clips_3)
  );
  always_comb begin
    clips = clips_4;
    for (int unsigned n = 0; n < AXIS_WORDS; n++) clips = clips + COUNT_W'(axis_clip_4[n]);
  end

  always_ff @(posedge clk) begin
    if (advance && valid[3]) begin
      y_4     <= (M1 * 64)'({word_3, y_4} >> (WORDS * 16));
      clips_4 <= clips_3;
    end
    if (finish) begin
      m_y                     <= y_4;
      m_y[AXIS_WORDS*16-1:0]  <= axis_word_4;
      m_clips                 <= clips;
    end
    if (m_ready || !m_valid) m_valid <= finish;
    if (rst) m_valid <= 1'b0;
  end

endmodule

`default_nettype wire
