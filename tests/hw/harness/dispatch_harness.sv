// dispatch behind one stream, whose beats are headers or beats of bodies, with a pipeline that takes DELAY cycles an atom
// and a loader that takes as long. What leaves: records of what to answer, in order, each with what had gone to the
// pipeline and to the loader by then.
`default_nettype none

module dispatch_harness #(
    parameter int unsigned LANES = 1,
    parameter int unsigned TYPE_W = 1,
    parameter int unsigned ATOMS = 4,
    parameter int unsigned DELAY = 7
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    input  wire logic                  model,
    input  wire logic                  s_valid,
    output logic                       s_ready,
    input  wire logic                  s_body,       // a beat of a body; else a header
    input  wire logic [7:0]            s_status,
    input  wire logic [7:0]            s_kind,
    input  wire logic [TYPE_W-1:0]     s_type,
    input  wire logic [15:0]           s_count,
    input  wire logic [31:0]           s_sequence,
    input  wire logic                  s_end,
    input  wire logic                  s_last,
    input  wire logic [LANES-1:0]      s_none,
    input  wire logic [LANES*64-1:0]   s_word,
    input  wire logic                  refuse,       // the loader refuses everything
    output logic                       m_valid,
    input  wire logic                  m_ready,
    output logic                       m_forces,
    output logic [7:0]                 m_status,
    output logic [7:0]                 m_kind,
    output logic [15:0]                m_count,
    output logic [31:0]                m_sequence,
    output logic                       m_end,
    output logic                       m_mixed,      // an atom and a load were under way at once
    output logic [63:0]                m_atom_sum,   // of the words that went to the pipeline
    output logic [63:0]                m_load_sum
);

  logic h_room, b_room, h_valid, h_ready, h_end, b_valid, b_ready, b_last;
  logic [7:0] h_status, h_kind;
  logic [TYPE_W-1:0] h_type;
  logic [15:0] h_count;
  logic [31:0] h_sequence;
  logic [LANES-1:0] b_none;
  logic [LANES*64-1:0] b_word;
  assign s_ready = s_body ? b_room : h_room;
  stream_fifo #(
      .WIDTH(8 + 8 + TYPE_W + 16 + 32 + 1),
      .DEPTH(8)
  ) i_headers (
      .clk,
      .rst,
      .s_valid(s_valid && !s_body),
      .s_ready(h_room),
      .s_data ({s_status, s_kind, s_type, s_count, s_sequence, s_end}),
      .m_valid(h_valid),
      .m_ready(h_ready),
      .m_data ({h_status, h_kind, h_type, h_count, h_sequence, h_end})
  );
  stream_fifo #(
      .WIDTH(1 + LANES + LANES * 64),
      .DEPTH(8)
  ) i_bodies (
      .clk,
      .rst,
      .s_valid(s_valid && s_body),
      .s_ready(b_room),
      .s_data ({s_last, s_none, s_word}),
      .m_valid(b_valid),
      .m_ready(b_ready),
      .m_data ({b_last, b_none, b_word})
  );

  logic a_valid, a_last, a_done, l_valid, l_last, l_done, p_valid;
  logic [LANES-1:0] a_none, l_none;
  logic [TYPE_W-1:0] a_type;
  logic [LANES*64-1:0] a_word, l_word;
  logic [7:0] l_kind;
  logic [DELAY-1:0] atoms, loads;
  assign a_done = atoms[DELAY-1];
  assign l_done = loads[DELAY-1];

  function automatic logic [63:0] total(logic [LANES-1:0] none, logic [LANES*64-1:0] word);
    total = '0;
    for (int unsigned i = 0; i < LANES; i++) if (!none[i]) total = total + word[i*64+:64];
  endfunction

  logic [63:0] atom_sum, load_sum;
  logic mixed;
  always_ff @(posedge clk) begin
    atoms <= {atoms[DELAY-2:0], a_valid && a_last};
    loads <= {loads[DELAY-2:0], l_valid && l_last};
    if (a_valid) atom_sum <= atom_sum + total(a_none, a_word) + 64'(a_type);
    if (l_valid) load_sum <= load_sum + total(l_none, l_word) + 64'(l_kind);
    // An atom that is done in this very cycle has left.
    if ((l_valid || loads != '0) && (a_valid || (atoms & ~(DELAY'(1) << (DELAY - 1))) != '0)) mixed <= 1'b1;
    if (rst) begin
      atoms    <= '0;
      loads    <= '0;
      atom_sum <= '0;
      load_sum <= '0;
      mixed    <= 1'b0;
    end
  end

  dispatch #(
      .LANES (LANES),
      .TYPE_W(TYPE_W),
      .ATOMS (ATOMS)
  ) i_dut (
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
      .a_ready(1'b1),
      .a_last,
      .a_none,
      .a_type,
      .a_word,
      .a_done,
      .l_valid,
      .l_ready(1'b1),
      .l_last,
      .l_none,
      .l_kind,
      .l_word,
      .l_done,
      .l_refused(refuse),
      .p_valid,
      .p_ready   (m_ready || !m_valid),
      .p_forces  (forces),
      .p_status  (status),
      .p_kind    (kind),
      .p_count   (count),
      .p_sequence(sequence_word),
      .p_end     (ends)
  );

  // Sums are read when the record leaves, and stand still while it waits.
  logic forces, ends;
  logic [7:0] status, kind;
  logic [15:0] count;
  logic [31:0] sequence_word;
  always_ff @(posedge clk) begin
    if (m_ready || !m_valid) begin
      m_valid    <= p_valid;
      m_forces   <= forces;
      m_status   <= status;
      m_kind     <= kind;
      m_count    <= count;
      m_sequence <= sequence_word;
      m_end      <= ends;
      m_mixed    <= mixed;
      m_atom_sum <= atom_sum;
      m_load_sum <= load_sum;
    end
    if (rst) m_valid <= 1'b0;
  end

endmodule

`default_nettype wire
