// An interrupt of the PCIe bridge (usr_irq_req, usr_irq_ack) in the bridge's clock from a level in another one: requested when
// the level rises, and held until the bridge has sent it and the level has fallen because the host has seen to it.
`default_nettype none

module interrupt_request (
    input  wire logic clk,
    input  wire logic level,
    output logic      request,
    input  wire logic ack
);

  (* ASYNC_REG = "TRUE" *) logic [1:0] level_sync;
  logic sent;

  // There is no reset: the card's own is one of the reasons for an interrupt.
  initial begin
    level_sync = '0;
    request = 1'b0;
    sent = 1'b0;
  end

  always_ff @(posedge clk) begin
    level_sync <= {level_sync[0], level};
    if (!request) begin
      request <= level_sync[1];
      sent <= 1'b0;
    end else begin
      sent <= sent || ack;
      if ((sent || ack) && !level_sync[1]) request <= 1'b0;
    end
  end

endmodule

`default_nettype wire
