// Sends every packet where it belongs, in order: sound atoms to the pipeline when a model is loaded, load packets to the
// loader, and for each one record of what to answer. The fence: a load packet waits until no atom is in flight, and what
// follows it waits until it is done.
`default_nettype none

module dispatch #(
    parameter int unsigned LANES = 1,        // words a beat
    parameter int unsigned TYPE_W = 1,       // bits of an atom type
    parameter int unsigned ATOMS = 64        // atoms in flight, a power of two
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    input  wire logic                  model,        // a model is loaded
    input  wire logic                  h_valid,      // as packet_in gives them
    output logic                       h_ready,
    input  wire logic [7:0]            h_status,
    input  wire logic [7:0]            h_kind,
    input  wire logic [TYPE_W-1:0]     h_type,
    input  wire logic [15:0]           h_count,
    input  wire logic [31:0]           h_sequence,
    input  wire logic                  h_end,
    input  wire logic                  b_valid,
    output logic                       b_ready,
    input  wire logic                  b_last,
    input  wire logic [LANES-1:0]      b_none,
    input  wire logic [LANES*64-1:0]   b_word,
    output logic                       a_valid,      // atoms
    input  wire logic                  a_ready,
    output logic                       a_last,
    output logic [LANES-1:0]           a_none,
    output logic [TYPE_W-1:0]          a_type,
    output logic [LANES*64-1:0]        a_word,
    input  wire logic                  a_done,       // the last beat of an atom's result leaves the pipeline
    output logic                       l_valid,      // bodies of load packets
    input  wire logic                  l_ready,
    output logic                       l_last,
    output logic [LANES-1:0]           l_none,
    output logic [7:0]                 l_kind,
    output logic [LANES*64-1:0]        l_word,
    input  wire logic                  l_done,       // the packet whose last beat has gone is written
    input  wire logic                  l_refused,    // with l_done: it was refused
    output logic                       p_valid,      // what to answer
    input  wire logic                  p_ready,
    output logic                       p_forces,
    output logic [7:0]                 p_status,
    output logic [7:0]                 p_kind,
    output logic [15:0]                p_count,
    output logic [31:0]                p_sequence,
    output logic                       p_end
);

  localparam logic [7:0] ATOM = 8'd1, OK = 8'd0, NO_MODEL = 8'd1, BAD_LOAD = 8'd7;
  localparam int unsigned RECORD_W = 1 + 8 + 8 + 16 + 32 + 1;

  logic is_atom, to_pipeline, to_loader, to_nowhere, loading, record, record_ready;
  logic [$clog2(ATOMS):0] in_flight;
  assign is_atom     = h_kind == ATOM;
  assign to_pipeline = h_valid && h_status == OK && is_atom && model && in_flight != ($clog2(ATOMS) + 1)'(ATOMS);
  assign to_loader   = h_valid && h_status == OK && !is_atom && in_flight == '0 && !loading;
  assign to_nowhere  = h_valid && h_status == OK && is_atom && !model;

  assign a_valid = b_valid && to_pipeline && record_ready;
  assign l_valid = b_valid && to_loader;
  assign b_ready = (to_pipeline && record_ready && a_ready) || (to_loader && l_ready) || (to_nowhere && record_ready);
  assign {a_last, a_none, a_type, a_word} = {b_last, b_none, h_type, b_word};
  assign {l_last, l_none, l_kind, l_word} = {b_last, b_none, h_kind, b_word};

  // A load packet is answered when it is written, everything else when its last beat has gone.
  logic gone;
  assign gone    = b_valid && b_ready && b_last;
  assign record  = h_valid && (h_status != OK || (loading ? l_done : gone && !to_loader));
  assign h_ready = record && record_ready;
  logic [7:0] status;
  always_comb begin
    status = h_status;
    if (h_status == OK && loading && l_refused) status = BAD_LOAD;
    if (h_status == OK && to_nowhere) status = NO_MODEL;
  end

  stream_fifo #(
      .WIDTH(RECORD_W),
      .DEPTH(ATOMS)
  ) i_records (
      .clk,
      .rst,
      .s_valid(record),
      .s_ready(record_ready),
      .s_data ({h_status == OK && to_pipeline, status, h_kind, h_count, h_sequence, h_end}),
      .m_valid(p_valid),
      .m_ready(p_ready),
      .m_data ({p_forces, p_status, p_kind, p_count, p_sequence, p_end})
  );

  logic enters;
  assign enters = gone && to_pipeline;
  always_ff @(posedge clk) begin
    in_flight <= in_flight + ($clog2(ATOMS) + 1)'(enters) - ($clog2(ATOMS) + 1)'(a_done);
    if (gone && to_loader) loading <= 1'b1;
    else if (h_ready) loading <= 1'b0;
    if (rst) begin
      in_flight <= '0;
      loading   <= 1'b0;
    end
  end

endmodule

`default_nettype wire
