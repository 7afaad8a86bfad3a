# The card under the names that a block design groups into interfaces by itself, with its parameters filled in.

# Ports of nvnmd_card: direction, width, name. There are two clocks, so interfaces have to be told that theirs is the first.
set clock_attribute {(* X_INTERFACE_PARAMETER = "ASSOCIATED_BUSIF s_axis:m_axis:s_axi, ASSOCIATED_RESET aresetn" *)}
set card_ports {
    {input 1 aclk} {input 1 aresetn}
    {input 1 s_axis_tvalid} {output 1 s_axis_tready} {input 1 s_axis_tlast} {input 512 s_axis_tdata} {input 64 s_axis_tkeep}
    {output 1 m_axis_tvalid} {input 1 m_axis_tready} {output 1 m_axis_tlast} {output 512 m_axis_tdata} {output 64 m_axis_tkeep}
    {input 1 s_axi_awvalid} {output 1 s_axi_awready} {input 8 s_axi_awaddr} {input 3 s_axi_awprot}
    {input 1 s_axi_wvalid} {output 1 s_axi_wready} {input 32 s_axi_wdata} {input 4 s_axi_wstrb}
    {output 1 s_axi_bvalid} {input 1 s_axi_bready} {output 2 s_axi_bresp}
    {input 1 s_axi_arvalid} {output 1 s_axi_arready} {input 8 s_axi_araddr} {input 3 s_axi_arprot}
    {output 1 s_axi_rvalid} {input 1 s_axi_rready} {output 32 s_axi_rdata} {output 2 s_axi_rresp}
    {input 1 irq_clk} {output 1 irq_req} {input 1 irq_ack}
}

proc write_wrapper {path parameters} {
    global card_ports clock_attribute
    set declarations {}
    set connections {}
    foreach port $card_ports {
        lassign $port direction width name
        set range [expr {$width > 1 ? "\[[expr {$width - 1}]:0\] " : ""}]
        lappend declarations "    $direction wire ${range}$name"
        lappend connections "      .${name}($name)"
    }
    set overrides {}
    dict for {name number} $parameters { lappend overrides "      .${name}($number)" }
    set stream [open $path w]
    puts $stream "module nvnmd_card_bd (\n    $clock_attribute\n[join $declarations ",\n"]\n);"
    puts $stream "  nvnmd_card #(\n[join $overrides ",\n"]\n  ) i_card (\n[join $connections ",\n"]\n  );"
    puts $stream "endmodule"
    close $stream
}
