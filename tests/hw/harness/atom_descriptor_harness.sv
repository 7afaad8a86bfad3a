// atom_descriptor as one stream: of every atom the beats of D, then its columns of X, then axis columns and clip counts.
`default_nettype none

module atom_descriptor_harness #(
    parameter int unsigned LANES = 1,
    parameter int unsigned M1 = 8,
    parameter int unsigned M2 = 2,
    parameter int unsigned COLUMNS = 2,
    parameter int unsigned NET_LANES = 3,
    parameter int unsigned ATOMS = 4,
    localparam int unsigned X_BITS = 15
) (
    input  wire logic                          clk,
    input  wire logic                          rst,
    input  wire logic [5:0]                    x_shift,
    input  wire logic [5:0]                    d_shift,
    input  wire logic                          s_valid,
    output logic                               s_ready,
    input  wire logic                          s_last,
    input  wire logic [LANES-1:0]              s_none,
    input  wire logic                          s_center,
    input  wire logic [LANES*4*16-1:0]         s_env,
    input  wire logic [LANES*M1*16-1:0]        s_feature,
    output logic                               m_valid,
    input  wire logic                          m_ready,
    output logic [1:0]                         m_part,     // 0 D, 1 columns of X, 2 axis and clips
    output logic                               m_type,
    output logic [NET_LANES*16-1:0]            m_d,
    output logic [COLUMNS*4*X_BITS-1:0]        m_x,
    output logic [M2*4*X_BITS-1:0]             m_axis,
    output logic [31:0]                        m_clips
);

  localparam int unsigned D_BEATS = (M1 * M2 + NET_LANES - 1) / NET_LANES, X_BEATS = M1 / COLUMNS;
  logic d_valid, x_valid, axis_valid, clips_valid, d_type;
  logic [NET_LANES*16-1:0] d;
  logic [COLUMNS*4*X_BITS-1:0] x;
  logic [M2*4*X_BITS-1:0] axis;
  logic [31:0] clips;
  logic [7:0] beat;
  logic take, part_ends;
  assign m_valid   = m_part == 2'd0 ? d_valid : m_part == 2'd1 ? x_valid : axis_valid && clips_valid;
  assign m_type    = m_part == 2'd0 && d_type;
  assign m_d       = m_part == 2'd0 ? d : '0;
  assign m_x       = m_part == 2'd1 ? x : '0;
  assign m_axis    = m_part == 2'd2 ? axis : '0;
  assign m_clips   = m_part == 2'd2 ? clips : '0;
  assign take      = m_valid && m_ready;
  assign part_ends = m_part == 2'd0 ? beat == 8'(D_BEATS - 1) : m_part == 2'd1 ? beat == 8'(X_BEATS - 1) : 1'b1;
  always_ff @(posedge clk) begin
    if (take) begin
      beat   <= part_ends ? '0 : beat + 8'd1;
      m_part <= !part_ends ? m_part : m_part == 2'd2 ? 2'd0 : m_part + 2'd1;
    end
    if (rst) begin
      beat   <= '0;
      m_part <= '0;
    end
  end
  atom_descriptor #(
      .LANES    (LANES),
      .M1       (M1),
      .M2       (M2),
      .COLUMNS  (COLUMNS),
      .X_BITS   (X_BITS),
      .NET_LANES(NET_LANES),
      .TYPE_W   (1),
      .COUNT_W  (16),
      .ATOMS    (ATOMS)
  ) i_dut (
      .clk,
      .rst,
      .x_shift,
      .d_shift,
      .s_valid,
      .s_ready,
      .s_last,
      .s_none,
      .s_center,
      .s_env,
      .s_feature,
      .d_valid,
      .d_ready    (m_ready && m_part == 2'd0),
      .d_type,
      .d_word     (d),
      .x_valid,
      .x_ready    (m_ready && m_part == 2'd1),
      .x_column   (x),
      .axis_valid,
      .axis_ready (take && m_part == 2'd2),
      .axis_word  (axis),
      .clips_valid,
      .clips_ready(take && m_part == 2'd2),
      .clips
  );

endmodule

`default_nettype wire
