// Registers of the card behind AXI4-Lite, 32 bits each (docs/stream.md, "Registers"): identity, state and counters.
// The streams s_ and m_ are its read address and read data channels; reads are answered in the next cycle. A write to
// register 4 sets the counters to zero, one to register 46 is card_events'; other writes change nothing.
`default_nettype none

module card_registers #(
    parameter logic [31:0] IDENTITY = 32'h0,      // of the configuration
    parameter int unsigned LANES = 1,             // neighbors a beat
    parameter int unsigned TYPES = 4,             // atom types held
    parameter int unsigned MAX_BODY = 64,         // most body words of a packet
    parameter int unsigned M1 = 32,               // sizes as in atom_pipeline, which a host needs to load a model
    parameter int unsigned M2 = 4,
    parameter int unsigned LAYERS = 3,
    parameter int unsigned WIDTH = 128,
    parameter bit SKIP = 1,
    parameter int unsigned SEG_BITS = 9,
    parameter int unsigned SEGMENTS = 288,
    parameter int unsigned FEATURE_TABLES = 4,
    parameter int unsigned SCALAR_TABLES = 1,
    parameter int unsigned GUARD_TABLES = 4,
    parameter int unsigned GUARD_SEGMENTS = 39,
    parameter bit GATES = 1,
    parameter int unsigned NET_LANES = 3,
    localparam int unsigned ADDRESS_W = 8
) (
    input  wire logic                    clk,
    input  wire logic                    rst,
    input  wire logic                    model,           // state and events, as card_core gives them
    input  wire logic [31:0]             tag,
    input  wire logic                    answered,
    input  wire logic [7:0]              answer_status,
    input  wire logic                    atom_done,
    input  wire logic [12*16-1:0]        atom_counts,
    input  wire logic                    in_stall,        // a beat from the host waits
    input  wire logic                    out_stall,       // a beat to the host waits
    input  wire logic                    awvalid,
    output logic                         awready,
    input  wire logic [ADDRESS_W-1:0]    awaddr,
    input  wire logic                    wvalid,
    output logic                         wready,
    input  wire logic [7:0]              wdata,           // lowest byte of the word
    output logic                         bvalid,
    input  wire logic                    bready,
    input  wire logic                    s_valid,
    output logic                         s_ready,
    input  wire logic [ADDRESS_W-1:0]    s_address,
    output logic                         m_valid,
    input  wire logic                    m_ready,
    output logic [31:0]                  m_word,
    output logic                         event_level      // of card_events
);

  localparam logic [31:0] MAGIC = 32'h444D_564E;  // the bytes NVMD
  localparam logic [31:0] VERSION = 32'd1;
  localparam int unsigned CLEAR = 4, EVENTS = 46, FIRST_COUNTER = 8, COUNTERS = 4 + 8 + 12;
  localparam int unsigned REGISTERS = FIRST_COUNTER + COUNTERS;

  // Counters: cycles, atoms, stalls in and out; answers by status; clipped words by stage, neighbors too close.
  logic [31:0] counters[COUNTERS];
  logic [31:0] step[COUNTERS];
  always_comb begin
    step[0] = 32'd1;
    step[1] = 32'(atom_done);
    step[2] = 32'(in_stall);
    step[3] = 32'(out_stall);
    for (int unsigned n = 0; n < 8; n++) step[4+n] = 32'(answered && answer_status == 8'(n));
    for (int unsigned n = 0; n < 12; n++) step[12+n] = atom_done ? 32'(atom_counts[n*16+:16]) : '0;
  end

  logic write, clear;
  assign write   = awvalid && wvalid && (!bvalid || bready);
  assign awready = write;
  assign wready  = write;
  assign clear   = write && awaddr[ADDRESS_W-1:2] == 6'(CLEAR);
  assign s_ready = !m_valid || m_ready;

  logic [7:0] events;
  card_events i_events (
      .clk,
      .rst,
      .answered,
      .answer_status,
      .write(write && awaddr[ADDRESS_W-1:2] == 6'(EVENTS)),
      .mask (wdata),
      .flags(events),
      .level(event_level)
  );

  logic [31:0] word;
  logic [5:0] number;
  assign number = s_address[ADDRESS_W-1:2];
  always_comb begin
    word = '0;
    case (number)
      6'd0: word = MAGIC;
      6'd1: word = VERSION;
      6'd2: word = IDENTITY;
      6'd3: word = {31'd0, model};
      6'd5: word = 32'(LANES);
      6'd6: word = 32'(TYPES);
      6'd7: word = 32'(MAX_BODY);
      6'd32: word = tag;
      6'd33: word = 32'(M1);
      6'd34: word = 32'(M2);
      6'd35: word = 32'(LAYERS);
      6'd36: word = 32'(WIDTH);
      6'd37: word = 32'(SKIP);
      6'd38: word = 32'(SEG_BITS);
      6'd39: word = 32'(SEGMENTS);
      6'd40: word = 32'(FEATURE_TABLES);
      6'd41: word = 32'(SCALAR_TABLES);
      6'd42: word = 32'(GUARD_TABLES);
      6'd43: word = 32'(GUARD_SEGMENTS);
      6'd44: word = 32'(GATES);
      6'd45: word = 32'(NET_LANES);
      6'(EVENTS): word = 32'(events);
      default: if (number >= 6'(FIRST_COUNTER) && 32'(number) < REGISTERS) word = counters[5'(number-6'(FIRST_COUNTER))];
    endcase
  end
  wire unused = &{1'b0, awaddr[1:0], s_address[1:0]};

  always_ff @(posedge clk) begin
    for (int unsigned n = 0; n < COUNTERS; n++) counters[n] <= clear || rst ? '0 : counters[n] + step[n];
    if (write) bvalid <= 1'b1;
    else if (bready) bvalid <= 1'b0;
    if (s_ready) begin
      m_valid <= s_valid;
      m_word  <= word;
    end
    if (rst) begin
      bvalid <= 1'b0;
      m_valid <= 1'b0;
    end
  end

endmodule

`default_nettype wire
