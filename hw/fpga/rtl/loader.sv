// Load packets (docs/stream.md, "Loading a model") to writes of the memories behind the cfg_ port, one row at a time. A
// model counts as loaded from an `end` packet whose number of rows is right until the next load packet.
`default_nettype none

module loader #(
    parameter int unsigned LANES = 1,               // words a beat of the body
    parameter int unsigned DATA_W = 96,             // bits of the widest row
    parameter int unsigned ROW_WORDS = 2,           // words of the widest row
    parameter logic [31:0] IDENTITY = 32'h0         // of the configuration
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    input  wire logic                  s_valid,
    output logic                       s_ready,
    input  wire logic                  s_last,
    input  wire logic [LANES-1:0]      s_none,
    input  wire logic [7:0]            s_kind,
    input  wire logic [LANES*64-1:0]   s_word,
    output logic                       done,        // the packet is dealt with; held until the next begins
    output logic                       refused,
    output logic                       model,       // a model is loaded
    output logic [31:0]                tag,         // what its begin packet said of it
    output logic                       cfg_valid,
    output logic [7:0]                 cfg_target,
    output logic [15:0]                cfg_index,
    output logic [15:0]                cfg_row,
    output logic [DATA_W-1:0]          cfg_data
);

  localparam logic [7:0] LOAD_BEGIN = 8'd2, LOAD_ROWS = 8'd3, LOAD_END = 8'd4;

  // One word a cycle: a beat stays until its last lane is read.
  localparam int unsigned LANE_W = LANES > 1 ? $clog2(LANES) : 1;
  logic [LANE_W-1:0] lane;
  logic [63:0] word;
  logic lane_end, use_word;
  assign lane_end = lane == LANE_W'(LANES - 1);
  assign word     = s_word[64*lane+:64];
  assign use_word = s_valid && !s_none[lane];
  assign s_ready  = lane_end;

  logic at_head;               // the next word is the first of its packet
  logic begun;                 // rows are welcome
  logic sound;                 // nothing wrong in this packet so far
  logic [7:0] row_words, part; // words of a row, words of it that have come
  logic [15:0] next_row;
  logic [31:0] rows;
  logic [ROW_WORDS*64-1:0] gathered, joined;
  always_comb begin
    joined = gathered;
    for (int unsigned i = 0; i < ROW_WORDS; i++) if (part == 8'(i)) joined[i*64+:64] = word;
  end
  wire unused = &{1'b0, joined};

  logic head_sound, row_end, row_good, refuse;
  always_comb begin
    head_sound = 1'b0;
    case (s_kind)
      LOAD_BEGIN: head_sound = word[31:0] == IDENTITY;
      LOAD_ROWS:  head_sound = begun && word[15:8] != '0 && word[15:8] <= 8'(ROW_WORDS);
      LOAD_END:   head_sound = begun && word == {32'd0, rows};
      default:    head_sound = 1'b0;
    endcase
  end
  assign row_end  = use_word && !at_head && part + 8'd1 == row_words;
  assign row_good = sound && s_kind == LOAD_ROWS;
  assign refuse   = !(use_word ? (at_head ? head_sound : sound && (row_end || !row_good)) : sound && part == '0);

  always_ff @(posedge clk) begin
    cfg_valid <= row_end && row_good;
    cfg_row   <= next_row;
    cfg_data  <= joined[DATA_W-1:0];
    if (s_valid) begin
      lane <= lane_end ? '0 : lane + LANE_W'(1);
      done <= s_last && lane_end;
    end
    if (use_word && at_head) begin
      at_head    <= 1'b0;
      sound      <= head_sound;
      cfg_target <= word[7:0];
      row_words  <= word[15:8];
      cfg_index  <= word[31:16];
      next_row   <= word[47:32];
      part       <= '0;
      model      <= s_kind == LOAD_END && head_sound;
      begun      <= s_kind != LOAD_END && head_sound;
      if (s_kind == LOAD_BEGIN) begin
        rows <= '0;
        tag  <= word[63:32];
      end
    end else if (use_word) begin
      gathered <= joined;
      part     <= row_end ? '0 : part + 8'd1;
      if (row_end && row_good) begin
        next_row <= next_row + 16'd1;
        rows     <= rows + 32'd1;
      end
    end
    // A packet without any word, or with half a row at its end, is refused too; each refusal ends the load.
    if (s_valid && s_last && lane_end) begin
      refused <= refuse;
      if (refuse) begin
        begun <= 1'b0;
        model <= 1'b0;
      end
      at_head <= 1'b1;
      sound   <= 1'b0;
      part    <= '0;
    end
    if (rst) begin
      lane      <= '0;
      at_head   <= 1'b1;
      sound     <= 1'b0;
      begun     <= 1'b0;
      model     <= 1'b0;
      done      <= 1'b0;
      cfg_valid <= 1'b0;
      part      <= '0;
    end
  end

endmodule

`default_nettype wire
