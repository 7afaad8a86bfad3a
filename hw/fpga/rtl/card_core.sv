// The card without its bus (docs/stream.md): packets in, answers out, both LANES wide, and events for the counters.
`default_nettype none

module card_core #(
    parameter int unsigned LANES = 1,             // neighbors a beat: 1, 2 or 4
    parameter int unsigned TYPES = 2,             // sizes as in atom_pipeline
    parameter int unsigned M1 = 32,
    parameter int unsigned M2 = 4,
    parameter int unsigned COLUMNS = 1,
    parameter int unsigned LAYERS = 3,
    parameter int unsigned WIDTH = 128,
    parameter int unsigned NET_LANES = 3,
    parameter bit SKIP = 1,
    parameter int unsigned SEG_BITS = 9,
    parameter int unsigned SEGMENTS = 288,
    parameter int unsigned FEATURE_TABLES = 4,
    parameter int unsigned SCALAR_TABLES = 1,
    parameter int unsigned GUARD_SEGMENTS = 39,
    parameter int unsigned GUARD_TABLES = 4,
    parameter bit GATES = 1,
    parameter int unsigned ATOMS = 16,
    parameter int unsigned WAIT = 1024,
    parameter int unsigned MAX_BODY = 64,         // most body words of a packet
    parameter logic [31:0] IDENTITY = 32'h0       // of the configuration
) (
    input  wire logic                    clk,
    input  wire logic                    rst,
    input  wire logic                    s_valid,
    output logic                         s_ready,
    input  wire logic                    s_last,     // end of a transfer
    input  wire logic [LANES*64-1:0]     s_data,
    output logic                         m_valid,
    input  wire logic                    m_ready,
    output logic                         m_last,     // end of an answer
    output logic                         m_end,      // end of the answers to a transfer
    output logic [LANES*128-1:0]         m_data,
    output logic                         model,      // a model is loaded
    output logic [31:0]                  tag,        // what its begin packet said of it
    output logic                         answered,   // an answer is chosen, with its status
    output logic [7:0]                   answer_status,
    output logic                         atom_done,  // a result leaves the pipeline, with its counts
    output logic [12*16-1:0]             atom_counts
);

  localparam int unsigned TYPE_W = TYPES > 1 ? $clog2(TYPES) : 1;
  localparam int unsigned NET_W = NET_LANES * 16;
  localparam int unsigned CFG_W = NET_W > 86 ? NET_W : 86;
  localparam int unsigned BUFFER = 1 << $clog2(4 * (MAX_BODY / LANES + 1));

  logic h_valid, h_ready, h_end, b_valid, b_ready, b_last;
  logic [7:0] h_status, h_kind;
  logic [TYPE_W-1:0] h_type;
  logic [15:0] h_count;
  logic [31:0] h_sequence;
  logic [LANES-1:0] b_none;
  logic [LANES*64-1:0] b_word;
  packet_in #(
      .LANES   (LANES),
      .TYPES   (TYPES),
      .MAX_BODY(MAX_BODY),
      .DEPTH   (BUFFER)
  ) i_in (
      .clk,
      .rst,
      .s_valid,
      .s_ready,
      .s_last,
      .s_data,
      .h_valid,
      .h_ready,
      .h_status,
      .h_kind,
      .h_type,
      .h_count,
      .h_sequence,
      .h_end,
      .b_valid,
      .b_ready,
      .b_last,
      .b_none,
      .b_word
  );

  logic a_valid, a_ready, a_last, l_valid, l_ready, l_last, l_done, l_refused, p_valid, p_ready, p_forces, p_end;
  logic [LANES-1:0] a_none, l_none;
  logic [TYPE_W-1:0] a_type;
  logic [LANES*64-1:0] a_word, l_word;
  logic [7:0] l_kind, p_status, p_kind;
  logic [15:0] p_count;
  logic [31:0] p_sequence;
  dispatch #(
      .LANES (LANES),
      .TYPE_W(TYPE_W),
      .ATOMS (4 * ATOMS)
  ) i_dispatch (
      .clk,
      .rst,
      .model,
      .h_valid,
      .h_ready,
      .h_status,
      .h_kind,
      .h_type,
      .h_count,
      .h_sequence,
      .h_end,
      .b_valid,
      .b_ready,
      .b_last,
      .b_none,
      .b_word,
      .a_valid,
      .a_ready,
      .a_last,
      .a_none,
      .a_type,
      .a_word,
      .a_done(atom_done),
      .l_valid,
      .l_ready,
      .l_last,
      .l_none,
      .l_kind,
      .l_word,
      .l_done,
      .l_refused,
      .p_valid,
      .p_ready,
      .p_forces,
      .p_status,
      .p_kind,
      .p_count,
      .p_sequence,
      .p_end
  );
  assign answered      = p_valid && p_ready;
  assign answer_status = p_status;

  logic cfg_valid;
  logic [7:0] cfg_target;
  logic [15:0] cfg_index, cfg_row;
  logic [CFG_W-1:0] cfg_data;
  loader #(
      .LANES    (LANES),
      .DATA_W   (CFG_W),
      .ROW_WORDS((CFG_W + 63) / 64),
      .IDENTITY (IDENTITY)
  ) i_loader (
      .clk,
      .rst,
      .s_valid(l_valid),
      .s_ready(l_ready),
      .s_last (l_last),
      .s_none (l_none),
      .s_kind (l_kind),
      .s_word (l_word),
      .done   (l_done),
      .refused(l_refused),
      .model,
      .tag,
      .cfg_valid,
      .cfg_target,
      .cfg_index,
      .cfg_row,
      .cfg_data
  );

  // Targets 0 … 5 are the neighbor front's, 8 the constants, 9 energy biases, from 64 on the fitting network.
  logic [24:0] u_min;
  logic [9:0] guard_end;
  logic gated;
  logic [17*6-1:0] shifts;
  logic [5*6-1:0] align;
  logic [LAYERS*6-1:0] z_shift, g_shift, skip_shift;
  model_constants #(
      .LAYERS(LAYERS)
  ) i_constants (
      .clk,
      .cfg_valid(cfg_valid && cfg_target == 8'd8),
      .cfg_row,
      .cfg_data (cfg_data[31:0]),
      .u_min,
      .guard_end,
      .gated,
      .shifts,
      .align,
      .z_shift,
      .g_shift,
      .skip_shift
  );

  logic r_valid, r_ready, r_last;
  logic [LANES-1:0] r_none;
  logic [LANES*96-1:0] r_force;
  logic [63:0] r_energy;
  logic [11*16-1:0] r_clips;
  logic [15:0] r_too_close;
  logic [LANES*TYPE_W-1:0] types;
  logic [LANES*54-1:0] dx;
  for (genvar i = 0; i < LANES; i++) begin : g_lane
    assign dx[i*54+:54] = a_word[i*64+:54];
    assign types[i*TYPE_W+:TYPE_W] = a_word[i*64+54+:TYPE_W];
    wire unused = &{1'b0, a_word[i*64+54+TYPE_W+:10-TYPE_W]};
  end
  atom_pipeline #(
      .LANES         (LANES),
      .TYPES         (TYPES),
      .M1            (M1),
      .M2            (M2),
      .COLUMNS       (COLUMNS),
      .LAYERS        (LAYERS),
      .WIDTH         (WIDTH),
      .NET_LANES     (NET_LANES),
      .SKIP          (SKIP),
      .SEG_BITS      (SEG_BITS),
      .SEGMENTS      (SEGMENTS),
      .FEATURE_TABLES(FEATURE_TABLES),
      .SCALAR_TABLES (SCALAR_TABLES),
      .GUARD_SEGMENTS(GUARD_SEGMENTS),
      .GUARD_TABLES  (GUARD_TABLES),
      .GATES         (GATES),
      .ATOMS         (ATOMS),
      .WAIT          (WAIT)
  ) i_pipeline (
      .clk,
      .rst,
      .cfg_valid    (cfg_valid && cfg_target != 8'd8),
      .cfg_unit     (cfg_target[6] ? 2'd1 : cfg_target == 8'd9 ? 2'd2 : 2'd0),
      .cfg_part     (cfg_target[6] ? {1'b0, cfg_target[1:0]} : cfg_target[2:0]),
      .cfg_layer    (cfg_target[5:2]),
      .cfg_output   (cfg_index),
      .cfg_row,
      .cfg_data,
      .u_min,
      .guard_end,
      .gated,
      .u_shift      (shifts[0*6+:6]),
      .feature_shift(shifts[1*6+:6]),
      .s_shift      (shifts[2*6+:6]),
      .h_shift      (shifts[3*6+:6]),
      .guard_shift  (shifts[4*6+:6]),
      .r0_shift     (shifts[5*6+:6]),
      .r_shift      (shifts[6*6+:6]),
      .x_shift      (shifts[7*6+:6]),
      .d_shift      (shifts[8*6+:6]),
      .z_shift,
      .g_shift,
      .skip_shift,
      .tanh_shift   (shifts[9*6+:6]),
      .e_shift      (shifts[10*6+:6]),
      .y_shift      (shifts[11*6+:6]),
      .a_shift      (shifts[12*6+:6]),
      .b_shift      (shifts[13*6+:6]),
      .v_shift      (shifts[14*6+:6]),
      .p_shift      (shifts[15*6+:6]),
      .f_shift      (shifts[16*6+:6]),
      .align,
      .s_valid      (a_valid),
      .s_ready      (a_ready),
      .s_last       (a_last),
      .s_none       (a_none),
      .s_center     (a_type),
      .s_type       (types),
      .s_dx         (dx),
      .m_valid      (r_valid),
      .m_ready      (r_ready),
      .m_last       (r_last),
      .m_none       (r_none),
      .m_force      (r_force),
      .m_energy     (r_energy),
      .m_clips      (r_clips),
      .m_too_close  (r_too_close)
  );
  assign atom_done   = r_valid && r_ready && r_last;
  assign atom_counts = {r_too_close, r_clips};

  packet_out #(
      .LANES(LANES)
  ) i_out (
      .clk,
      .rst,
      .p_valid,
      .p_ready,
      .p_forces,
      .p_status,
      .p_kind,
      .p_count,
      .p_sequence,
      .p_end,
      .r_valid,
      .r_ready,
      .r_last,
      .r_none,
      .r_force,
      .r_energy,
      .r_counts(atom_counts),
      .m_valid,
      .m_ready,
      .m_last,
      .m_end,
      .m_data
  );

endmodule

`default_nettype wire
