// The whole integer model for one atom after another (docs/numerics.md): neighbor words in, LANES a beat; forces out, in
// the same lanes and order. The energy of an atom is in all its beats, counters belong to the last. An atom without neighbors is one beat
// whose lanes carry none. Up to ATOMS atoms are in flight between their last neighbor and their forces.
`default_nettype none

module atom_pipeline #(
    parameter int unsigned LANES = 1,             // neighbors a beat
    parameter int unsigned TYPES = 2,             // atom types
    parameter int unsigned M1 = 32,               // channels of the embedding
    parameter int unsigned M2 = 4,                // axis columns
    parameter int unsigned COLUMNS = 1,           // columns of X a beat, forward and backward; divides M1
    parameter int unsigned LAYERS = 3,            // hidden layers of the fitting network
    parameter int unsigned WIDTH = 128,           // neurons of each
    parameter int unsigned NET_LANES = 3,         // words a beat between its layers
    parameter bit SKIP = 1,                       // skip connections of layers 2 … LAYERS
    parameter int unsigned SEG_BITS = 9,          // tanh_seg_bits
    parameter int unsigned SEGMENTS = 288,        // table segments from r² = 0 to the cutoff
    parameter int unsigned FEATURE_TABLES = 4,    // tables held
    parameter int unsigned SCALAR_TABLES = 1,
    parameter int unsigned GUARD_SEGMENTS = 39,   // most segments of a guard table
    parameter int unsigned GUARD_TABLES = 4,
    parameter bit GATES = 1,                      // whether gates of the strip form are built in
    parameter int unsigned ATOMS = 16,            // atoms in flight, a power of two
    parameter int unsigned WAIT = 1024,           // beats of neighbors in flight, a power of two; at least those of an atom
    parameter int unsigned COUNT_W = 16,          // bits of a count
    localparam int unsigned TYPE_W = TYPES > 1 ? $clog2(TYPES) : 1,
    localparam int unsigned NET_CFG_W = NET_LANES * 16 > 48 ? NET_LANES * 16 : 48,
    localparam int unsigned CFG_W = NET_CFG_W > 86 ? NET_CFG_W : 86
) (
    input  wire logic                          clk,
    input  wire logic                          rst,
    // Writes, while no atom is in flight: unit 0 neighbor_lanes (part is its target, output its lane), 1 fitting_net,
    // 2 energy bias of type cfg_row.
    input  wire logic                          cfg_valid,
    input  wire logic [1:0]                    cfg_unit,
    input  wire logic [2:0]                    cfg_part,
    input  wire logic [3:0]                    cfg_layer,
    input  wire logic [15:0]                   cfg_output,
    input  wire logic [15:0]                   cfg_row,
    input  wire logic [CFG_W-1:0]              cfg_data,
    // Constants of the model, kept while atoms are in flight.
    input  wire logic [24:0]                   u_min,
    input  wire logic [9:0]                    guard_end,
    input  wire logic                          gated,
    input  wire logic [5:0]                    u_shift,
    input  wire logic [5:0]                    feature_shift,
    input  wire logic [5:0]                    s_shift,
    input  wire logic [5:0]                    h_shift,
    input  wire logic [5:0]                    guard_shift,
    input  wire logic [5:0]                    r0_shift,
    input  wire logic [5:0]                    r_shift,
    input  wire logic [5:0]                    x_shift,
    input  wire logic [5:0]                    d_shift,
    input  wire logic [LAYERS*6-1:0]           z_shift,
    input  wire logic [LAYERS*6-1:0]           g_shift,
    input  wire logic [LAYERS*6-1:0]           skip_shift,
    input  wire logic [5:0]                    tanh_shift,
    input  wire logic [5:0]                    e_shift,
    input  wire logic [5:0]                    y_shift,
    input  wire logic [5:0]                    a_shift,
    input  wire logic [5:0]                    b_shift,
    input  wire logic [5:0]                    v_shift,
    input  wire logic [5:0]                    p_shift,
    input  wire logic [5:0]                    f_shift,
    input  wire logic [5*6-1:0]                align,         // e1 … e5
    input  wire logic                          s_valid,
    output logic                               s_ready,
    input  wire logic                          s_last,        // last beat of the atom
    input  wire logic [LANES-1:0]              s_none,        // lanes that carry no neighbor
    input  wire logic [TYPE_W-1:0]             s_center,      // type of the atom, in all its beats
    input  wire logic [LANES*TYPE_W-1:0]       s_type,        // type of each neighbor
    input  wire logic [LANES*3*18-1:0]         s_dx,          // x, y, z of each neighbor
    output logic                               m_valid,
    input  wire logic                          m_ready,
    output logic                               m_last,
    output logic [LANES-1:0]                   m_none,
    output logic [LANES*3*32-1:0]              m_force,       // x, y, z of each neighbor
    output logic signed [63:0]                 m_energy,      // in every beat of the atom
    output logic [11*COUNT_W-1:0]              m_clips,       // zero but in the last beat, as m_too_close: R, X, D, H, GRAD, Y, A, B, V, P, F
    output logic [COUNT_W-1:0]                 m_too_close
);

  localparam int unsigned DX_W = 18;
  localparam int unsigned X_BITS = 15;
  localparam int unsigned LANE_W = M1 > 1 ? $clog2(M1) : 1;
  localparam int unsigned CARRY_W = 3 * DX_W + 2 * M1 * 16 + 4 * 27 + 4 * 16;
  localparam int unsigned GUARD_W = 48;

  // Neighbor words to table words.
  logic n_valid, n_ready, n_last;
  logic [LANES-1:0] n_none;
  logic [LANES*M1*16-1:0] n_feature;
  logic [LANES*64-1:0] n_env;
  logic [LANES*CARRY_W-1:0] n_carry;
  logic [TYPE_W-1:0] n_center;
  logic signed [GUARD_W-1:0] n_guard;
  logic [COUNT_W-1:0] n_r_clips, n_too_close;
  neighbor_lanes #(
      .LANES         (LANES),
      .TYPES         (TYPES),
      .M1            (M1),
      .SEGMENTS      (SEGMENTS),
      .FEATURE_TABLES(FEATURE_TABLES),
      .SCALAR_TABLES (SCALAR_TABLES),
      .GUARD_SEGMENTS(GUARD_SEGMENTS),
      .GUARD_TABLES  (GUARD_TABLES),
      .DX_W          (DX_W),
      .GATES         (GATES),
      .COUNT_W       (COUNT_W),
      .GUARD_W       (GUARD_W)
  ) i_neighbors (
      .clk,
      .rst,
      .cfg_valid  (cfg_valid && cfg_unit == 2'd0),
      .cfg_target (cfg_part),
      .cfg_row,
      .cfg_lane   (LANE_W'(cfg_output)),
      .cfg_data   (cfg_data[85:0]),
      .u_shift,
      .u_min,
      .guard_end,
      .gated,
      .feature_shift,
      .s_shift,
      .h_shift,
      .guard_shift,
      .r0_shift,
      .r_shift,
      .s_valid,
      .s_ready,
      .s_last,
      .s_none,
      .s_center,
      .s_type,
      .s_dx,
      .m_valid    (n_valid),
      .m_ready    (n_ready),
      .m_last     (n_last),
      .m_none     (n_none),
      .m_feature  (n_feature),
      .m_env      (n_env),
      .m_carry    (n_carry),
      .m_center   (n_center),
      .m_guard    (n_guard),
      .m_r_clips  (n_r_clips),
      .m_too_close(n_too_close)
  );

  // Three take them: the descriptor; the wait for the backward pass; and, once an atom, its record.
  logic acc_ready, wait_ready, record_ready, n_take;
  assign n_ready = acc_ready && wait_ready && record_ready;
  assign n_take  = n_valid && n_ready;

  localparam int unsigned WAIT_W = LANES * CARRY_W + LANES + 1;
  logic w_valid, w_ready, w_last;
  logic [LANES-1:0] w_none;
  logic [LANES*CARRY_W-1:0] w_carry;
  block_fifo #(
      .WIDTH(WAIT_W),
      .DEPTH(WAIT)
  ) i_wait (
      .clk,
      .rst,
      .s_valid(n_take),
      .s_ready(wait_ready),
      .s_data ({n_last, n_none, n_carry}),
      .m_valid(w_valid),
      .m_ready(w_ready),
      .m_data ({w_last, w_none, w_carry})
  );

  localparam int unsigned RECORD_W = TYPE_W + GUARD_W + 2 * COUNT_W;
  logic record_valid, leave;
  logic [TYPE_W-1:0] r_center;
  logic signed [GUARD_W-1:0] r_guard;
  logic [COUNT_W-1:0] r_clips, r_too_close;
  stream_fifo #(
      .WIDTH(RECORD_W),
      .DEPTH(ATOMS)
  ) i_records (
      .clk,
      .rst,
      .s_valid(n_take && n_last),
      .s_ready(record_ready),
      .s_data ({n_center, n_guard, n_r_clips, n_too_close}),
      .m_valid(record_valid),
      .m_ready(leave),
      .m_data ({r_center, r_guard, r_clips, r_too_close})
  );

  // Forward to D, through the fitting network, backward to the rows of dE/dD.
  logic d_valid, d_ready, x_valid, x_ready, axis_valid, axis_ready, xd_valid;
  logic [TYPE_W-1:0] d_type;
  logic [NET_LANES*16-1:0] d_word;
  logic [COLUMNS*4*X_BITS-1:0] x_column;
  logic [M2*4*X_BITS-1:0] axis;
  logic [2*COUNT_W-1:0] xd_clips;
  atom_descriptor #(
      .LANES    (LANES),
      .M1       (M1),
      .M2       (M2),
      .COLUMNS  (COLUMNS),
      .X_BITS   (X_BITS),
      .NET_LANES(NET_LANES),
      .TYPE_W   (TYPE_W),
      .COUNT_W  (COUNT_W),
      .ATOMS    (ATOMS)
  ) i_descriptor (
      .clk,
      .rst,
      .x_shift,
      .d_shift,
      .s_valid    (n_valid && wait_ready && record_ready),
      .s_ready    (acc_ready),
      .s_last     (n_last),
      .s_none     (n_none),
      .s_center   (n_center),
      .s_env      (n_env),
      .s_feature  (n_feature),
      .d_valid,
      .d_ready,
      .d_type,
      .d_word,
      .x_valid,
      .x_ready,
      .x_column,
      .axis_valid,
      .axis_ready,
      .axis_word  (axis),
      .clips_valid(xd_valid),
      .clips_ready(leave),
      .clips      (xd_clips)
  );

  logic net_valid, net_ready, net_last, net_record_ready, gathered_ready;
  logic [NET_LANES*16-1:0] net_grad;
  logic signed [31:0] net_energy;
  logic [COUNT_W-1:0] h_clips, grad_clips;
  assign net_ready = gathered_ready && net_record_ready;
  fitting_net #(
      .LAYERS  (LAYERS),
      .INPUTS  (M1 * M2),
      .WIDTH   (WIDTH),
      .LANES   (NET_LANES),
      .TYPES   (TYPES),
      .SEG_BITS(SEG_BITS),
      .SKIP    (SKIP),
      .COUNT_W (COUNT_W)
  ) i_net (
      .clk,
      .rst,
      .cfg_valid   (cfg_valid && cfg_unit == 2'd1),
      .cfg_part    (cfg_part[1:0]),
      .cfg_layer,
      .cfg_output,
      .cfg_row,
      .cfg_data    (cfg_data[NET_CFG_W-1:0]),
      .z_shift,
      .g_shift,
      .skip_shift,
      .tanh_shift,
      .e_shift,
      .s_valid     (d_valid),
      .s_ready     (d_ready),
      .s_type      (d_type),
      .s_word      (d_word),
      .m_valid     (net_valid),
      .m_ready     (net_ready),
      .m_last      (net_last),
      .m_grad      (net_grad),
      .m_energy    (net_energy),
      .m_h_clips   (h_clips),
      .m_grad_clips(grad_clips)
  );

  logic net_record_valid;
  logic signed [31:0] e_net;
  logic [2*COUNT_W-1:0] net_clips;
  stream_fifo #(
      .WIDTH(32 + 2 * COUNT_W),
      .DEPTH(ATOMS)
  ) i_net_records (
      .clk,
      .rst,
      .s_valid(net_valid && gathered_ready && net_last),
      .s_ready(net_record_ready),
      .s_data ({net_energy, grad_clips, h_clips}),
      .m_valid(net_record_valid),
      .m_ready(leave),
      .m_data ({e_net, net_clips})
  );

  logic rows_valid, rows_last, rows_user, grad_ready, rows_take;
  logic [COLUMNS*M2*16-1:0] rows;
  assign rows_take  = rows_valid && x_valid && axis_valid && grad_ready;
  assign x_ready    = rows_take;
  assign axis_ready = rows_take && rows_last;
  regroup #(
      .WORDS    (M1 * M2),
      .WORD_W   (16),
      .IN_LANES (NET_LANES),
      .OUT_LANES(COLUMNS * M2)
  ) i_rows (
      .clk,
      .rst,
      .s_valid(net_valid && net_record_ready),
      .s_ready(gathered_ready),
      .s_last (net_last),
      .s_word (net_grad),
      .s_user (1'b0),
      .m_valid(rows_valid),
      .m_ready(rows_take),
      .m_last (rows_last),
      .m_word (rows),
      .m_user (rows_user)
  );

  logic y_valid;
  logic [M1*64-1:0] y;
  logic [COUNT_W-1:0] y_clips;
  descriptor_grad #(
      .M1     (M1),
      .M2     (M2),
      .COLUMNS(COLUMNS),
      .X_BITS (X_BITS),
      .COUNT_W(COUNT_W)
  ) i_grad (
      .clk,
      .rst,
      .y_shift,
      .s_valid(rows_valid && x_valid && axis_valid),
      .s_ready(grad_ready),
      .s_grad (rows),
      .s_x    (x_column),
      .s_axis (axis),
      .m_valid(y_valid),
      .m_ready(leave),
      .m_y    (y),
      .m_clips(y_clips)
  );

  // Forces. With the first neighbor that enters the result of the atom is written down; with the last, `leave` takes all
  // that waited for it.
  logic force_ready, enter, fresh, complete, result_ready;
  assign complete = y_valid && record_valid && xd_valid && net_record_valid && result_ready;
  assign enter    = w_valid && complete && force_ready;
  assign w_ready  = complete && force_ready;
  assign leave    = enter && w_last;
  always_ff @(posedge clk) begin
    if (enter) fresh <= w_last;
    if (rst) fresh <= 1'b1;
  end

  logic [LANES*3*DX_W-1:0] f_dx;
  logic [LANES*M1*16-1:0] f_feature, f_feature_slope;
  logic [LANES*27-1:0] f_s_slope, f_h, f_h_slope, f_guard_slope;
  logic [LANES*64-1:0] f_env;
  for (genvar i = 0; i < LANES; i++) begin : g_lane
    assign {
      f_dx[i*3*DX_W+:3*DX_W],
      f_feature[i*M1*16+:M1*16],
      f_feature_slope[i*M1*16+:M1*16],
      f_s_slope[i*27+:27],
      f_h[i*27+:27],
      f_h_slope[i*27+:27],
      f_guard_slope[i*27+:27],
      f_env[i*64+:64]
    } = w_carry[i*CARRY_W+:CARRY_W];
  end

  logic [5*COUNT_W-1:0] force_clips;
  force_stage #(
      .M1     (M1),
      .LANES  (LANES),
      .DX_W   (DX_W),
      .COUNT_W(COUNT_W)
  ) i_force (
      .clk,
      .rst,
      .a_shift,
      .b_shift,
      .v_shift,
      .p_shift,
      .f_shift,
      .align,
      .s_valid        (w_valid && complete),
      .s_ready        (force_ready),
      .s_last         (w_last),
      .s_none         (w_none),
      .s_y            (y),
      .s_dx           (f_dx),
      .s_feature      (f_feature),
      .s_feature_slope(f_feature_slope),
      .s_s_slope      (f_s_slope),
      .s_h            (f_h),
      .s_h_slope      (f_h_slope),
      .s_guard_slope  (f_guard_slope),
      .s_env          (f_env),
      .m_valid,
      .m_ready,
      .m_last,
      .m_none,
      .m_force,
      .m_clips        (force_clips)
  );

  logic signed [63:0] energy_bias[TYPES];
  always_ff @(posedge clk)
    if (cfg_valid && cfg_unit == 2'd2) energy_bias[TYPE_W'(cfg_row)] <= cfg_data[63:0];

  // Deeper than the force stage, so it never fills.
  localparam int unsigned RESULT_W = 64 + 7 * COUNT_W;
  logic result_valid;
  wire unused = &{1'b0, rows_user, result_valid, cfg_output, cfg_data};
  logic signed [63:0] energy;
  logic [6*COUNT_W-1:0] before_force;
  logic [COUNT_W-1:0] too_close;
  stream_fifo #(
      .WIDTH(RESULT_W),
      .DEPTH(32)
  ) i_results (
      .clk,
      .rst,
      .s_valid(enter && fresh),
      .s_ready(result_ready),
      .s_data ({
        64'(e_net) + energy_bias[r_center] + 64'(r_guard), r_too_close, y_clips, net_clips, xd_clips, r_clips
      }),
      .m_valid(result_valid),
      .m_ready(m_valid && m_ready && m_last),
      .m_data ({energy, too_close, before_force})
  );
  assign m_energy    = energy;
  assign m_clips     = m_last ? {force_clips, before_force} : '0;
  assign m_too_close = m_last ? too_close : '0;

endmodule

`default_nettype wire
