// Answers to the host (docs/stream.md): for every packet that came in, in order, one packet; for atoms it carries energy,
// forces and counts from the pipeline. LANES forces a beat, the first lane of the first beat being the header's.
`default_nettype none

module packet_out #(
    parameter int unsigned LANES = 1        // forces a beat: 1, 2 or 4
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic                   p_valid,     // the packet to answer
    output logic                        p_ready,
    input  wire logic                   p_forces,    // whether a result follows from the pipeline
    input  wire logic [7:0]             p_status,
    input  wire logic [7:0]             p_kind,
    input  wire logic [15:0]            p_count,     // forces of the result
    input  wire logic [31:0]            p_sequence,
    input  wire logic                   p_end,       // the last of its transfer
    input  wire logic                   r_valid,     // results, at least one beat an atom
    output logic                        r_ready,
    input  wire logic                   r_last,
    input  wire logic [LANES-1:0]       r_none,
    input  wire logic [LANES*96-1:0]    r_force,
    input  wire logic [63:0]            r_energy,    // in every beat of the atom
    input  wire logic [12*16-1:0]   r_counts,    // in its last beat
    output logic                        m_valid,
    input  wire logic                   m_ready,
    output logic                        m_last,      // end of an answer
    output logic                        m_end,       // end of the answers to a transfer
    output logic [LANES*128-1:0]        m_data
);

  localparam logic [15:0] MAGIC = 16'h564E;
  localparam logic [7:0] VERSION = 8'd1, REPLY = 8'h80;
  localparam int unsigned BEATS_OF_4 = 4 / LANES;
  localparam int unsigned TRAILER_W = 256;

  // Stage 1 puts a beat together, stage 2 adds the checksum.
  logic [16:0] beat, last_beat;
  logic [15:0] forces;
  logic at_start, at_end, takes, go, advance;
  assign forces    = p_forces ? p_count : '0;
  assign last_beat = ((17'(forces) + 17'd6) >> 2) * 17'(BEATS_OF_4) - 17'd1;
  assign at_start  = beat == '0;
  assign at_end    = beat == last_beat;
  // The result's beats come with the beats that hold its forces; one without forces comes with the header.
  assign takes     = p_forces && beat <= 17'(forces) / 17'(LANES) && (LANES > 1 || !at_start || forces == '0);
  assign go        = p_valid && advance && (r_valid || !(takes || (p_forces && at_start)));
  assign r_ready   = go && takes;
  assign p_ready   = go && at_end;

  logic [12*16-1:0] counts, counts_held;
  assign counts = !p_forces ? '0 : takes && r_last ? r_counts : counts_held;

  logic [LANES*128-1:0] body, covered;
  always_comb begin
    body = '0;
    for (int unsigned i = 0; i < LANES; i++) if (takes && !r_none[i]) body[i*128+:96] = r_force[i*96+:96];
    if (at_start) body[127:0] = {p_forces ? r_energy : 64'd0, 8'd0, VERSION, forces, p_status, REPLY | p_kind, MAGIC};
  end

  // The trailer is two units long, so with one lane its first half leaves a beat earlier.
  logic [TRAILER_W-1:0] trailer;
  assign trailer = {32'd0, p_sequence, counts};
  if (LANES == 1) begin : g_narrow
    logic before_end;
    assign before_end = beat + 17'd1 == last_beat;
    assign covered    = at_end ? trailer[255:128] : before_end ? trailer[127:0] : body;
  end else begin : g_wide
    always_comb begin
      covered = body;
      if (at_end) covered[LANES*128-1-:TRAILER_W] = trailer;
    end
  end

  logic valid_1, start_1, end_1, all_1;
  logic [LANES*128-1:0] data_1;
  logic [31:0] crc, crc_next;
  assign advance = m_ready || !m_valid;
  crc32_step #(
      .BITS(LANES * 128)
  ) i_crc (
      .state(start_1 ? 32'hFFFF_FFFF : crc),
      .data (data_1),
      .next (crc_next)
  );

  always_ff @(posedge clk) begin
    if (go) begin
      beat <= at_end ? '0 : beat + 17'd1;
      if (takes && r_last) counts_held <= r_counts;
    end
    if (advance) begin
      valid_1 <= go;
      start_1 <= at_start;
      end_1   <= at_end;
      all_1   <= at_end && p_end;
      data_1  <= covered;
      m_valid <= valid_1;
      m_last  <= end_1;
      m_end   <= all_1;
      m_data  <= end_1 ? {~crc_next, data_1[LANES*128-33:0]} : data_1;
      if (valid_1) crc <= crc_next;
    end
    if (rst) begin
      beat    <= '0;
      valid_1 <= 1'b0;
      m_valid <= 1'b0;
    end
  end

endmodule

`default_nettype wire
