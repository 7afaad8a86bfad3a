// Packets from the host (docs/stream.md): checks them and passes on one header a packet and, of sound packets only, the
// body. A body waits in a buffer until its checksum has come, so nothing behind this module ever sees a damaged word.
`default_nettype none

module packet_in #(
    parameter int unsigned LANES = 1,        // words a beat: 1, 2 or 4
    parameter int unsigned TYPES = 4,        // atom types held
    parameter int unsigned MAX_BODY = 64,    // most body words of a packet
    parameter int unsigned DEPTH = 256,      // beats that wait, a power of two, more than those of the longest body
    localparam int unsigned TYPE_W = TYPES > 1 ? $clog2(TYPES) : 1
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    input  wire logic                  s_valid,
    output logic                       s_ready,
    input  wire logic                  s_last,      // end of a transfer
    input  wire logic [LANES*64-1:0]   s_data,
    output logic                       h_valid,     // one header a packet
    input  wire logic                  h_ready,
    output logic [7:0]                 h_status,
    output logic [7:0]                 h_kind,
    output logic [TYPE_W-1:0]          h_type,
    output logic [15:0]                h_count,
    output logic [31:0]                h_sequence,
    output logic                       h_end,       // the last packet of its transfer that is answered
    output logic                       b_valid,     // the body of a packet with status 0, at least one beat
    input  wire logic                  b_ready,
    output logic                       b_last,
    output logic [LANES-1:0]           b_none,      // lanes that carry no body word
    output logic [LANES*64-1:0]        b_word
);

  localparam logic [15:0] MAGIC = 16'h564E;
  localparam logic [7:0] VERSION = 8'd1, ATOM = 8'd1, LOAD_END = 8'd4;
  localparam logic [7:0] OK = 8'd0, BAD_CHECKSUM = 8'd2, BAD_HEADER = 8'd3, TOO_LONG = 8'd4, BAD_TYPE = 8'd5,
      TRUNCATED = 8'd6;
  localparam int unsigned BEATS_OF_8 = 8 / LANES;
  localparam int unsigned AT_W = $clog2(DEPTH);

  // A beat is taken as the header, as part of the packet, or skipped up to the end of the transfer.
  typedef enum logic [1:0] {HEADER, BODY, SKIP} state_t;
  state_t state;
  logic take, at_header, at_end;
  assign take      = s_valid && s_ready;
  assign at_header = state == HEADER;

  logic [7:0] kind, kind_held;
  logic [15:0] count, count_held;
  logic [7:0] type_word, type_held;
  logic sound;
  assign kind      = at_header ? s_data[23:16] : kind_held;
  assign type_word = at_header ? s_data[31:24] : type_held;
  assign count     = at_header ? s_data[47:32] : count_held;
  assign sound     = s_data[15:0] == MAGIC && s_data[63:48] == {8'd0, VERSION} && kind >= ATOM && kind <= LOAD_END;

  // Beats of the packet, counted from the header's.
  logic [16:0] beat, next_beat, last_beat, last_body;
  assign next_beat = at_header ? 17'd0 : beat;
  assign last_beat = ((17'(count) + 17'd9) >> 3) * 17'(BEATS_OF_8) - 17'd1;
  assign last_body = 17'(count) / 17'(LANES);
  assign at_end    = next_beat == last_beat;

  // The checksum covers the packet with its own 32 bits taken as zero.
  logic [31:0] crc, crc_next, wanted;
  logic [LANES*64-1:0] covered;
  assign wanted  = s_data[LANES*64-1-:32];
  assign covered = at_end ? {32'd0, s_data[LANES*64-33:0]} : s_data;
  crc32_step #(
      .BITS(LANES * 64)
  ) i_crc (
      .state(at_header ? 32'hFFFF_FFFF : crc),
      .data (covered),
      .next (crc_next)
  );

  logic [LANES-1:0] none;
  logic bad_type, bad_type_held;
  always_comb begin
    bad_type = kind == ATOM && (at_header ? type_word >= 8'(TYPES) : bad_type_held);
    for (int unsigned i = 0; i < LANES; i++) begin
      none[i] = next_beat * 17'(LANES) + 17'(i) == '0 || next_beat * 17'(LANES) + 17'(i) > 17'(count);
      if (kind == ATOM && !none[i] && (s_data[i*64+54+:5] >= 5'(TYPES) || s_data[i*64+59+:5] != '0)) bad_type = 1'b1;
    end
  end
  if (TYPES > 31) begin : g_types
    $error("a neighbor word has 5 bits for its type; build for at most 31 types");
  end

  // What becomes of the packet with this beat.
  logic over;
  logic [7:0] status;
  always_comb begin
    over   = 1'b1;
    status = OK;
    if (at_header && !sound) status = BAD_HEADER;
    else if (at_header && count > 16'(MAX_BODY)) status = TOO_LONG;
    else if (s_last && !at_end) status = TRUNCATED;
    else if (!at_end) over = 1'b0;
    else if (~crc_next != wanted) status = BAD_CHECKSUM;
    else if (bad_type) status = BAD_TYPE;
  end

  logic header_ready, trusted;
  assign trusted = status == OK || status == BAD_TYPE;
  always_ff @(posedge clk) begin
    if (take) begin
      crc           <= crc_next;
      beat          <= next_beat + 17'd1;
      kind_held     <= kind;
      type_held     <= type_word;
      count_held    <= count;
      bad_type_held <= bad_type;
      if (state == SKIP) state <= s_last ? HEADER : SKIP;
      else if (!over) state <= BODY;
      else state <= trusted || s_last ? HEADER : SKIP;
    end
    if (rst) state <= HEADER;
  end

  logic finish;
  assign finish = take && state != SKIP && over;
  stream_fifo #(
      .WIDTH(8 + 8 + TYPE_W + 16 + 32 + 1),
      .DEPTH(16)
  ) i_headers (
      .clk,
      .rst,
      .s_valid(finish),
      .s_ready(header_ready),
      .s_data ({status, kind, TYPE_W'(type_word), count, trusted ? s_data[LANES*64-33-:32] : 32'd0,
                s_last || !trusted}),
      .m_valid(h_valid),
      .m_ready(h_ready),
      .m_data ({h_status, h_kind, h_type, h_count, h_sequence, h_end})
  );

  // The buffer: beats behind `commit_at` belong to packets that were sound.
  localparam int unsigned WIDTH = 1 + LANES + LANES * 64;
  (* ram_style = "block" *) logic [WIDTH-1:0] memory[DEPTH];
  logic [AT_W:0] write_at, commit_at, read_at, write_next;
  logic store, full, fetch;
  assign full       = write_at - read_at == (AT_W + 1)'(DEPTH);
  assign s_ready    = !full && header_ready;
  assign store      = take && state != SKIP && next_beat <= last_body && (LANES > 1 || !at_header || count == '0);
  assign write_next = write_at + (AT_W + 1)'(store);
  assign fetch      = read_at != commit_at && (b_ready || !b_valid);

  always_ff @(posedge clk) begin
    if (store) memory[write_at[AT_W-1:0]] <= {next_beat == last_body, none, s_data};
    if (fetch) {b_last, b_none, b_word} <= memory[read_at[AT_W-1:0]];
  end
  always_ff @(posedge clk) begin
    write_at <= finish && status != OK ? commit_at : write_next;
    if (finish && status == OK) commit_at <= write_next;
    if (fetch) read_at <= read_at + (AT_W + 1)'(1);
    if (b_ready || !b_valid) b_valid <= fetch;
    if (rst) begin
      write_at  <= '0;
      commit_at <= '0;
      read_at   <= '0;
      b_valid   <= 1'b0;
    end
  end

endmodule

`default_nettype wire
