// The constants of the model that is loaded: 32-bit words written at run time, in the order of
// `nvnmd.fpga.load.constant_words`; three shifts a layer come last.
`default_nettype none

module model_constants #(
    parameter int unsigned LAYERS = 3   // hidden layers of the fitting network
) (
    input  wire logic                      clk,
    input  wire logic                      cfg_valid,
    input  wire logic [15:0]               cfg_row,
    input  wire logic [31:0]               cfg_data,
    output logic [24:0]                    u_min,
    output logic [9:0]                     guard_end,
    output logic                           gated,
    output logic [17*6-1:0]                shifts,       // u, feature, s, h, guard, R0, R, X, D, tanh, E, Y, A, B, V, P, F
    output logic [5*6-1:0]                 align,        // e1 … e5
    output logic [LAYERS*6-1:0]            z_shift,
    output logic [LAYERS*6-1:0]            g_shift,
    output logic [LAYERS*6-1:0]            skip_shift
);

  localparam int unsigned SHIFTS = 3, ALIGN = SHIFTS + 17, BY_LAYER = ALIGN + 5, COUNT = BY_LAYER + 3 * LAYERS;
  logic [31:0] words[COUNT];
  always_ff @(posedge clk) if (cfg_valid && cfg_row < 16'(COUNT)) words[($clog2(COUNT))'(cfg_row)] <= cfg_data;

  assign u_min     = words[0][24:0];
  assign guard_end = words[1][9:0];
  assign gated     = words[2][0];
  for (genvar n = 0; n < 17; n++) begin : g_word
    assign shifts[n*6+:6] = words[SHIFTS+n][5:0];
  end
  for (genvar n = 0; n < 5; n++) begin : g_align_word
    assign align[n*6+:6] = words[ALIGN+n][5:0];
  end
  for (genvar l = 0; l < LAYERS; l++) begin : g_layer_word
    assign z_shift[l*6+:6]    = words[BY_LAYER+3*l][5:0];
    assign g_shift[l*6+:6]    = words[BY_LAYER+3*l+1][5:0];
    assign skip_shift[l*6+:6] = words[BY_LAYER+3*l+2][5:0];
  end

  logic [COUNT-1:0] folded;
  always_comb for (int unsigned n = 0; n < COUNT; n++) folded[n] = ^words[n];
  wire unused = &{1'b0, folded};

endmodule

`default_nettype wire
