// The card at the width of its bus: card_core between 512-bit streams, and its registers.
`default_nettype none

module card_shell #(
    parameter int unsigned LANES = 1,             // as in card_core
    parameter int unsigned TYPES = 2,
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
    parameter int unsigned MAX_BODY = 64,
    parameter logic [31:0] IDENTITY = 32'h0
) (
    input  wire logic           clk,
    input  wire logic           rst,
    input  wire logic           s_valid,
    output logic                s_ready,
    input  wire logic           s_last,      // end of a transfer
    input  wire logic [511:0]   s_data,
    output logic                m_valid,
    input  wire logic           m_ready,
    output logic                m_last,      // end of an answer
    output logic                m_end,       // end of the answers to a transfer
    output logic [511:0]        m_data,
    // AXI4-Lite, as in card_registers.
    input  wire logic           awvalid,
    output logic                awready,
    input  wire logic [7:0]     awaddr,
    input  wire logic           wvalid,
    output logic                wready,
    input  wire logic [7:0]     wdata,
    output logic                bvalid,
    input  wire logic           bready,
    input  wire logic           arvalid,
    output logic                arready,
    input  wire logic [7:0]     araddr,
    output logic                rvalid,
    input  wire logic           rready,
    output logic [31:0]         rdata,
    output logic                event_level  // asks for an interrupt
);

  logic in_valid, in_ready, in_last, out_valid, out_ready, out_last, out_end;
  logic [LANES*64-1:0] in_data;
  logic [LANES*128-1:0] out_data;
  stream_narrow #(
      .WIDTH (LANES * 64),
      .FACTOR(8 / LANES)
  ) i_narrow (
      .clk,
      .rst,
      .s_valid,
      .s_ready,
      .s_last,
      .s_data,
      .m_valid(in_valid),
      .m_ready(in_ready),
      .m_last (in_last),
      .m_data (in_data)
  );

  logic model, answered, atom_done;
  logic [31:0] tag;
  logic [7:0] answer_status;
  logic [12*16-1:0] atom_counts;
  card_core #(
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
      .WAIT          (WAIT),
      .MAX_BODY      (MAX_BODY),
      .IDENTITY      (IDENTITY)
  ) i_core (
      .clk,
      .rst,
      .s_valid(in_valid),
      .s_ready(in_ready),
      .s_last (in_last),
      .s_data (in_data),
      .m_valid(out_valid),
      .m_ready(out_ready),
      .m_last (out_last),
      .m_end  (out_end),
      .m_data (out_data),
      .model,
      .tag,
      .answered,
      .answer_status,
      .atom_done,
      .atom_counts
  );

  stream_widen #(
      .WIDTH (LANES * 128),
      .FACTOR(4 / LANES)
  ) i_widen (
      .clk,
      .rst,
      .s_valid(out_valid),
      .s_ready(out_ready),
      .s_last (out_last),
      .s_end  (out_end),
      .s_data (out_data),
      .m_valid,
      .m_ready,
      .m_last,
      .m_end,
      .m_data
  );

  card_registers #(
      .IDENTITY      (IDENTITY),
      .LANES         (LANES),
      .TYPES         (TYPES),
      .MAX_BODY      (MAX_BODY),
      .M1            (M1),
      .M2            (M2),
      .LAYERS        (LAYERS),
      .WIDTH         (WIDTH),
      .SKIP          (SKIP),
      .SEG_BITS      (SEG_BITS),
      .SEGMENTS      (SEGMENTS),
      .FEATURE_TABLES(FEATURE_TABLES),
      .SCALAR_TABLES (SCALAR_TABLES),
      .GUARD_TABLES  (GUARD_TABLES),
      .GUARD_SEGMENTS(GUARD_SEGMENTS),
      .GATES         (GATES),
      .NET_LANES     (NET_LANES)
  ) i_registers (
      .clk,
      .rst,
      .model,
      .tag,
      .answered,
      .answer_status,
      .atom_done,
      .atom_counts,
      .in_stall (s_valid && !s_ready),
      .out_stall(m_valid && !m_ready),
      .awvalid,
      .awready,
      .awaddr,
      .wvalid,
      .wready,
      .wdata,
      .bvalid,
      .bready,
      .s_valid  (arvalid),
      .s_ready  (arready),
      .s_address(araddr),
      .m_valid  (rvalid),
      .m_ready  (rready),
      .m_word   (rdata),
      .event_level
  );

endmodule

`default_nettype wire
