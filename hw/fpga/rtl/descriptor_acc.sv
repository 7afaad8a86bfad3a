// Descriptor of one atom (docs/numerics.md, section 5): X summed exactly over its neighbors, LANES a cycle; then X
// rounded, and D. The next atom accumulates while the columns of this one leave, COLUMNS a beat.
`default_nettype none

module descriptor_acc #(
    parameter int unsigned M1 = 32,           // channels, columns of X
    parameter int unsigned M2 = 4,            // axis columns; D has M1 x M2 words
    parameter int unsigned LANES = 1,         // neighbors a beat
    parameter int unsigned COLUMNS = 4,       // columns of X a beat; divides M1
    parameter int unsigned X_BITS = 15,       // bits of a word of X
    parameter int unsigned ACC_W = 48         // bits of an exact sum
) (
    input  wire logic                            clk,
    input  wire logic                            rst,
    input  wire logic [5:0]                      x_shift,   // right shifts, constant while atoms are in flight
    input  wire logic [5:0]                      d_shift,
    input  wire logic                            s_valid,
    output logic                                 s_ready,
    input  wire logic                            s_last,    // last beat of the atom
    input  wire logic [LANES-1:0]                s_none,    // lanes that carry no neighbor
    input  wire logic [LANES*4*16-1:0]           s_env,     // R_0, R_x, R_y, R_z of each lane
    input  wire logic [LANES*M1*16-1:0]          s_feature, // G of each lane
    output logic                                 m_valid,
    input  wire logic                            m_ready,
    output logic                                 m_last,    // last columns of the atom
    output logic [COLUMNS*4*X_BITS-1:0]          m_x,       // X_ck: column by column, c = 0 … 3
    output logic [M2*4*X_BITS-1:0]               m_axis,    // the first M2 columns of X, the same in all beats of an atom
    output logic [COLUMNS*M2*16-1:0]             m_d,       // D_km: row k by row k, m = 0 … M2 - 1
    output logic [COLUMNS*4-1:0]                 m_x_clip,
    output logic [COLUMNS*M2-1:0]                m_d_clip
);

  localparam int unsigned BEATS = M1 / COLUMNS;
  localparam int unsigned AXIS_BEATS = (M2 + COLUMNS - 1) / COLUMNS;  // until all axis columns are rounded
  localparam int unsigned STEPS = BEATS + AXIS_BEATS;
  localparam int unsigned STEP_W = $clog2(STEPS + 1);
  localparam int unsigned COLUMN_W = 4 * X_BITS;
  localparam int unsigned D_SUM_W = 2 * X_BITS + 2;

  // Accumulation: stage 1 products, stage 2 sums. A finished atom waits there until the columns before it are gone.
  logic valid_1, valid_2, first_2, last_1, last_2;
  logic [LANES-1:0] none_1;
  logic advance, finish, idle, drain;
  assign advance = !(valid_2 && last_2) || finish;
  assign finish  = valid_2 && last_2 && idle;
  assign s_ready = advance;

  always_ff @(posedge clk) begin
    if (advance) begin
      valid_1 <= s_valid;
      last_1  <= s_last;
      none_1  <= s_none;
      valid_2 <= valid_1;
      last_2  <= last_1;
      if (valid_1) first_2 <= last_1;
    end
    if (rst) begin
      valid_1 <= 1'b0;
      valid_2 <= 1'b0;
      first_2 <= 1'b1;
    end
  end

  logic [M1*4*ACC_W-1:0] sums, held;
  for (genvar k = 0; k < M1; k++) begin : g_column
    for (genvar c = 0; c < 4; c++) begin : g_component
      logic [LANES*32-1:0] product_1;
      logic signed [ACC_W-1:0] part_1, sum_2;
      always_comb begin
        part_1 = '0;
        for (int unsigned i = 0; i < LANES; i++)
          if (!none_1[i]) part_1 = part_1 + ACC_W'(signed'(product_1[i*32+:32]));
      end
      always_ff @(posedge clk) begin
        if (advance) begin
          for (int unsigned i = 0; i < LANES; i++)
            product_1[i*32+:32] <= signed'(s_env[(i*4+c)*16+:16]) * signed'(s_feature[(i*M1+k)*16+:16]);
          if (valid_1) sum_2 <= (first_2 ? '0 : sum_2) + part_1;
        end
      end
      assign sums[(k*4+c)*ACC_W+:ACC_W] = sum_2;
    end
  end

  // Columns: in each step COLUMNS sums are rounded into `rounded`; AXIS_BEATS steps later they meet the axis columns.
  logic [STEP_W-1:0] step;  // 0 when nothing is held
  assign idle  = step == '0 || (step == STEP_W'(STEPS) && drain);
  assign drain = m_ready || !m_valid;

  logic [COLUMNS*COLUMN_W-1:0] rounded_0;
  logic [COLUMNS*4-1:0] clip_0;
  for (genvar i = 0; i < COLUMNS * 4; i++) begin : g_round
    logic signed [63:0] word;
    assign word = fixed_pkg::rnd(64'(signed'(held[i*ACC_W+:ACC_W])), x_shift);
    assign rounded_0[i*X_BITS+:X_BITS] = X_BITS'(fixed_pkg::sat(word, 6'(X_BITS)));
    assign clip_0[i] = fixed_pkg::clips(word, 6'(X_BITS));
  end

  logic [COLUMNS*COLUMN_W-1:0] delayed[AXIS_BEATS];
  logic [COLUMNS*4-1:0] delayed_clip[AXIS_BEATS];
  logic [AXIS_BEATS*COLUMNS*COLUMN_W-1:0] axis;
  always_ff @(posedge clk) begin
    if (finish) held <= sums;
    else if (drain) held <= held >> (COLUMNS * 4 * ACC_W);
    if (finish) step <= STEP_W'(1);
    else if (drain && step != '0) step <= step == STEP_W'(STEPS) ? '0 : step + STEP_W'(1);
    if (drain) begin
      delayed[0]      <= rounded_0;
      delayed_clip[0] <= clip_0;
      for (int unsigned n = 1; n < AXIS_BEATS; n++) begin
        delayed[n]      <= delayed[n-1];
        delayed_clip[n] <= delayed_clip[n-1];
      end
      for (int unsigned n = 0; n < AXIS_BEATS; n++)
        if (step == STEP_W'(n + 1)) axis[n*COLUMNS*COLUMN_W+:COLUMNS*COLUMN_W] <= rounded_0;
    end
    if (rst) step <= '0;
  end

  // The step that overwrites the axis columns is the one in which the last beat of the atom leaves.
  assign m_axis = axis[M2*COLUMN_W-1:0];

  logic [COLUMNS*COLUMN_W-1:0] column;
  assign column = delayed[AXIS_BEATS-1];
  for (genvar k = 0; k < COLUMNS; k++) begin : g_row
    for (genvar m = 0; m < M2; m++) begin : g_axis
      logic signed [D_SUM_W-1:0] dot;
      always_comb begin
        dot = '0;
        for (int unsigned c = 0; c < 4; c++)
          dot = dot + D_SUM_W'(signed'(column[(k*4+c)*X_BITS+:X_BITS]) * signed'(axis[(m*4+c)*X_BITS+:X_BITS]));
      end
      logic signed [63:0] word;
      assign word = fixed_pkg::rnd(64'(dot), d_shift);
      always_ff @(posedge clk) begin
        if (drain) begin
          m_d[(k*M2+m)*16+:16] <= 16'(fixed_pkg::sat(word, 6'd16));
          m_d_clip[k*M2+m]     <= fixed_pkg::clips(word, 6'd16);
        end
      end
    end
  end

  always_ff @(posedge clk) begin
    if (drain) begin
      m_valid  <= step > STEP_W'(AXIS_BEATS);
      m_last   <= step == STEP_W'(STEPS);
      m_x      <= column;
      m_x_clip <= delayed_clip[AXIS_BEATS-1];
    end
    if (rst) m_valid <= 1'b0;
  end

endmodule

`default_nettype wire
