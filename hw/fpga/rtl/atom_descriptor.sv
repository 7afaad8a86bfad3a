// From the neighbors of one atom after another to the words of D in the lanes of the fitting network, and to the columns
// of X that wait for the backward pass. Holds ATOMS atoms between its entry and the backward pass.
`default_nettype none

module atom_descriptor #(
    parameter int unsigned LANES = 1,          // neighbors a beat
    parameter int unsigned M1 = 32,            // channels, columns of X
    parameter int unsigned M2 = 4,             // axis columns
    parameter int unsigned COLUMNS = 1,        // columns of X a beat; divides M1
    parameter int unsigned X_BITS = 15,        // bits of a word of X
    parameter int unsigned NET_LANES = 3,      // words of D a beat
    parameter int unsigned TYPE_W = 1,         // bits of an atom type
    parameter int unsigned COUNT_W = 16,       // bits of a clip count
    parameter int unsigned ATOMS = 16,         // atoms in flight, a power of two
    localparam int unsigned COLUMN_W = COLUMNS * 4 * X_BITS,
    localparam int unsigned AXIS_W = M2 * 4 * X_BITS
) (
    input  wire logic                          clk,
    input  wire logic                          rst,
    input  wire logic [5:0]                    x_shift,    // right shifts, constant while atoms are in flight
    input  wire logic [5:0]                    d_shift,
    input  wire logic                          s_valid,
    output logic                               s_ready,
    input  wire logic                          s_last,     // last beat of the atom
    input  wire logic [LANES-1:0]              s_none,     // lanes that carry no neighbor
    input  wire logic [TYPE_W-1:0]             s_center,   // type of the atom, in its last beat
    input  wire logic [LANES*4*16-1:0]         s_env,
    input  wire logic [LANES*M1*16-1:0]        s_feature,
    output logic                               d_valid,    // to the fitting network
    input  wire logic                          d_ready,
    output logic [TYPE_W-1:0]                  d_type,
    output logic [NET_LANES*16-1:0]            d_word,
    output logic                               x_valid,    // columns of X, COLUMNS a beat
    input  wire logic                          x_ready,
    output logic [COLUMN_W-1:0]                x_column,
    output logic                               axis_valid, // the axis columns of the same atom, once
    input  wire logic                          axis_ready,
    output logic [AXIS_W-1:0]                  axis_word,
    output logic                               clips_valid,
    input  wire logic                          clips_ready,
    output logic [2*COUNT_W-1:0]               clips       // X, D: words clipped, once an atom
);

  localparam int unsigned BEATS = M1 / COLUMNS;

  // Types pass beside the sums, from the last neighbor of an atom to its last columns.
  logic acc_ready, type_ready;
  assign s_ready = acc_ready && type_ready;
  logic c_valid, c_ready, c_last, type_valid;
  logic [TYPE_W-1:0] c_type;
  logic [COLUMN_W-1:0] c_x;
  logic [AXIS_W-1:0] c_axis;
  logic [COLUMNS*M2*16-1:0] c_d;
  logic [COLUMNS*4-1:0] x_clip;
  logic [COLUMNS*M2-1:0] d_clip;
  descriptor_acc #(
      .M1     (M1),
      .M2     (M2),
      .LANES  (LANES),
      .COLUMNS(COLUMNS),
      .X_BITS (X_BITS)
  ) i_acc (
      .clk,
      .rst,
      .x_shift,
      .d_shift,
      .s_valid (s_valid && type_ready),
      .s_ready (acc_ready),
      .s_last,
      .s_none,
      .s_env,
      .s_feature,
      .m_valid (c_valid),
      .m_ready (c_ready),
      .m_last  (c_last),
      .m_x     (c_x),
      .m_axis  (c_axis),
      .m_d     (c_d),
      .m_x_clip(x_clip),
      .m_d_clip(d_clip)
  );
  stream_fifo #(
      .WIDTH(TYPE_W),
      .DEPTH(ATOMS)
  ) i_types (
      .clk,
      .rst,
      .s_valid(s_valid && s_ready && s_last),
      .s_ready(type_ready),
      .s_data (s_center),
      .m_valid(type_valid),
      .m_ready(c_valid && c_ready && c_last),
      .m_data (c_type)
  );

  // Columns leave when all who take them are ready.
  logic d_free, x_free, axis_free, clips_free, take;
  assign c_ready = d_free && x_free && axis_free && clips_free;
  assign take    = c_valid && c_ready;

  logic d_last;
  wire unused = &{1'b0, type_valid, d_last};
  regroup #(
      .WORDS    (M1 * M2),
      .WORD_W   (16),
      .IN_LANES (COLUMNS * M2),
      .OUT_LANES(NET_LANES),
      .USER_W   (TYPE_W)
  ) i_words (
      .clk,
      .rst,
      .s_valid(take),
      .s_ready(d_free),
      .s_last (c_last),
      .s_word (c_d),
      .s_user (c_type),
      .m_valid(d_valid),
      .m_ready(d_ready),
      .m_last (d_last),
      .m_word (d_word),
      .m_user (d_type)
  );
  block_fifo #(
      .WIDTH(COLUMN_W),
      .DEPTH(1 << $clog2(ATOMS * BEATS))
  ) i_columns (
      .clk,
      .rst,
      .s_valid(take),
      .s_ready(x_free),
      .s_data (c_x),
      .m_valid(x_valid),
      .m_ready(x_ready),
      .m_data (x_column)
  );
  stream_fifo #(
      .WIDTH(AXIS_W),
      .DEPTH(ATOMS)
  ) i_axis (
      .clk,
      .rst,
      .s_valid(take && c_last),
      .s_ready(axis_free),
      .s_data (c_axis),
      .m_valid(axis_valid),
      .m_ready(axis_ready),
      .m_data (axis_word)
  );

  logic [COUNT_W-1:0] x_clips, d_clips;
  clip_tally #(
      .FLAGS  (COLUMNS * 4),
      .COUNT_W(COUNT_W)
  ) i_x_tally (
      .clk,
      .rst,
      .take,
      .last (c_last),
      .flags(x_clip),
      .total(x_clips)
  );
  clip_tally #(
      .FLAGS  (COLUMNS * M2),
      .COUNT_W(COUNT_W)
  ) i_d_tally (
      .clk,
      .rst,
      .take,
      .last (c_last),
      .flags(d_clip),
      .total(d_clips)
  );
  stream_fifo #(
      .WIDTH(2 * COUNT_W),
      .DEPTH(ATOMS)
  ) i_clips (
      .clk,
      .rst,
      .s_valid(take && c_last),
      .s_ready(clips_free),
      .s_data ({d_clips, x_clips}),
      .m_valid(clips_valid),
      .m_ready(clips_ready),
      .m_data (clips)
  );

endmodule

`default_nettype wire
