// nvnmd_card under the names of the bench; register 0 is read all the time, every event is enabled once.
`default_nettype none

module nvnmd_card_harness #(
    parameter int unsigned LANES = 1,
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
    input  wire logic          clk,
    input  wire logic          rst,
    input  wire logic          s_valid,
    output logic               s_ready,
    input  wire logic          s_last,
    input  wire logic [511:0]  s_data,
    output logic               m_valid,
    input  wire logic          m_ready,
    output logic               m_last,
    output logic [511:0]       m_data,
    output logic [63:0]        m_keep,
    output logic [31:0]        m_register,
    output logic               m_interrupt
);

  logic read_valid;
  logic [31:0] read_data;
  always_ff @(posedge clk) if (read_valid) m_register <= read_data;
  logic settled, enabled;  // the card's reset lasts a cycle longer
  always_ff @(posedge clk) begin
    settled <= !rst;
    enabled <= !rst && (enabled || awready);
  end
  logic awready, wready, bvalid, arready;
  logic [1:0] bresp, rresp;
  wire unused = &{1'b0, wready, bvalid, arready, bresp, rresp};
  nvnmd_card #(
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
  ) i_dut (
      .aclk         (clk),
      .aresetn      (!rst),
      .s_axis_tvalid(s_valid),
      .s_axis_tready(s_ready),
      .s_axis_tlast (s_last),
      .s_axis_tdata (s_data),
      .s_axis_tkeep ('1),
      .m_axis_tvalid(m_valid),
      .m_axis_tready(m_ready),
      .m_axis_tlast (m_last),
      .m_axis_tdata (m_data),
      .m_axis_tkeep (m_keep),
      .s_axi_awvalid(settled && !enabled),
      .s_axi_awready(awready),
      .s_axi_awaddr (8'(4 * 46)),
      .s_axi_awprot ('0),
      .s_axi_wvalid (settled && !enabled),
      .s_axi_wready (wready),
      .s_axi_wdata  (32'hFF),
      .s_axi_wstrb  ('0),
      .s_axi_bvalid (bvalid),
      .s_axi_bready (1'b1),
      .s_axi_bresp  (bresp),
      .s_axi_arvalid(1'b1),
      .s_axi_arready(arready),
      .s_axi_araddr ('0),
      .s_axi_arprot ('0),
      .s_axi_rvalid (read_valid),
      .s_axi_rready (1'b1),
      .s_axi_rdata  (read_data),
      .s_axi_rresp  (rresp),
      .irq_clk      (clk),
      .irq_req      (m_interrupt),
      .irq_ack      (m_interrupt)
  );

endmodule

`default_nettype wire
