// The top of the card: card_shell under the names of AXI4-Stream and AXI4-Lite, and its interrupt, for a block design with a
// PCIe bridge whose clock is irq_clk.
// Streams are whole beats, so tkeep is ignored on the way in and all ones on the way out.
`default_nettype none

module nvnmd_card #(
    parameter int unsigned LANES = 1,             // as in card_shell
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
    input  wire logic           aclk,
    input  wire logic           aresetn,
    input  wire logic           s_axis_tvalid,
    output logic                s_axis_tready,
    input  wire logic           s_axis_tlast,
    input  wire logic [511:0]   s_axis_tdata,
    input  wire logic [63:0]    s_axis_tkeep,
    output logic                m_axis_tvalid,
    input  wire logic           m_axis_tready,
    output logic                m_axis_tlast,
    output logic [511:0]        m_axis_tdata,
    output logic [63:0]         m_axis_tkeep,
    input  wire logic           s_axi_awvalid,
    output logic                s_axi_awready,
    input  wire logic [7:0]     s_axi_awaddr,
    input  wire logic [2:0]     s_axi_awprot,
    input  wire logic           s_axi_wvalid,
    output logic                s_axi_wready,
    input  wire logic [31:0]    s_axi_wdata,
    input  wire logic [3:0]     s_axi_wstrb,
    output logic                s_axi_bvalid,
    input  wire logic           s_axi_bready,
    output logic [1:0]          s_axi_bresp,
    input  wire logic           s_axi_arvalid,
    output logic                s_axi_arready,
    input  wire logic [7:0]     s_axi_araddr,
    input  wire logic [2:0]     s_axi_arprot,
    output logic                s_axi_rvalid,
    input  wire logic           s_axi_rready,
    output logic [31:0]         s_axi_rdata,
    output logic [1:0]          s_axi_rresp,
    input  wire logic           irq_clk,
    output logic                irq_req,
    input  wire logic           irq_ack
);

  assign m_axis_tkeep = '1;
  assign s_axi_bresp  = '0;
  assign s_axi_rresp  = '0;
  logic answer_end;
  wire unused = &{1'b0, answer_end, s_axis_tkeep, s_axi_awprot, s_axi_wdata[31:8], s_axi_wstrb, s_axi_arprot};

  // The reset lasts a cycle longer inside; what comes in that cycle waits.
  logic rst, s_ready, event_level;
  always_ff @(posedge aclk) rst <= !aresetn;
  assign s_axis_tready = s_ready && !rst;

  card_shell #(
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
  ) i_shell (
      .clk    (aclk),
      .rst,
      .s_valid(s_axis_tvalid && !rst),
      .s_ready,
      .s_last (s_axis_tlast),
      .s_data (s_axis_tdata),
      .m_valid(m_axis_tvalid),
      .m_ready(m_axis_tready),
      .m_last (answer_end),
      .m_end  (m_axis_tlast),
      .m_data (m_axis_tdata),
      .awvalid(s_axi_awvalid),
      .awready(s_axi_awready),
      .awaddr (s_axi_awaddr),
      .wvalid (s_axi_wvalid),
      .wready (s_axi_wready),
      .wdata  (s_axi_wdata[7:0]),
      .bvalid (s_axi_bvalid),
      .bready (s_axi_bready),
      .arvalid(s_axi_arvalid),
      .arready(s_axi_arready),
      .araddr (s_axi_araddr),
      .rvalid (s_axi_rvalid),
      .rready (s_axi_rready),
      .rdata  (s_axi_rdata),
      .event_level
  );

  interrupt_request i_interrupt (
      .clk    (irq_clk),
      .level  (event_level),
      .request(irq_req),
      .ack    (irq_ack)
  );

endmodule

`default_nettype wire
