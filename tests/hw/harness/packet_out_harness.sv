// packet_out behind one stream, whose beats are packets to answer or beats of results; both wait in FIFOs.
`default_nettype none

module packet_out_harness #(
    parameter int unsigned LANES = 1
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic                   s_valid,
    output logic                        s_ready,
    input  wire logic                   s_result,    // a beat of a result; else a packet to answer
    input  wire logic                   s_forces,
    input  wire logic [7:0]             s_status,
    input  wire logic [7:0]             s_kind,
    input  wire logic [15:0]            s_count,
    input  wire logic [31:0]            s_sequence,
    input  wire logic                   s_end,
    input  wire logic                   s_last,
    input  wire logic [LANES-1:0]       s_none,
    input  wire logic [LANES*96-1:0]    s_force,
    input  wire logic [63:0]            s_energy,
    input  wire logic [12*16-1:0]       s_counts,
    output logic                        m_valid,
    input  wire logic                   m_ready,
    output logic                        m_last,
    output logic                        m_end,
    output logic [LANES*128-1:0]        m_data
);

  logic p_room, r_room, p_valid, p_ready, p_forces, p_end, r_valid, r_ready, r_last;
  logic [7:0] p_status, p_kind;
  logic [15:0] p_count;
  logic [31:0] p_sequence;
  logic [LANES-1:0] r_none;
  logic [LANES*96-1:0] r_force;
  logic [63:0] r_energy;
  logic [12*16-1:0] r_counts;
  assign s_ready = s_result ? r_room : p_room;
  stream_fifo #(
      .WIDTH(66),
      .DEPTH(64)
  ) i_packets (
      .clk,
      .rst,
      .s_valid(s_valid && !s_result),
      .s_ready(p_room),
      .s_data ({s_forces, s_status, s_kind, s_count, s_sequence, s_end}),
      .m_valid(p_valid),
      .m_ready(p_ready),
      .m_data ({p_forces, p_status, p_kind, p_count, p_sequence, p_end})
  );
  stream_fifo #(
      .WIDTH(1 + LANES + LANES * 96 + 64 + 192),
      .DEPTH(4)
  ) i_results (
      .clk,
      .rst,
      .s_valid(s_valid && s_result),
      .s_ready(r_room),
      .s_data ({s_last, s_none, s_force, s_energy, s_counts}),
      .m_valid(r_valid),
      .m_ready(r_ready),
      .m_data ({r_last, r_none, r_force, r_energy, r_counts})
  );
  packet_out #(
      .LANES(LANES)
  ) i_dut (
      .clk,
      .rst,
      .p_valid,
      .p_ready,
      .p_forces,
      .p_status,
      .p_kind,
      .p_count,
      .p_sequence,
      .p_end,
      .r_valid,
      .r_ready,
      .r_last,
      .r_none,
      .r_force,
      .r_energy,
      .r_counts,
      .m_valid,
      .m_ready,
      .m_last,
      .m_end,
      .m_data
  );

endmodule

`default_nettype wire
