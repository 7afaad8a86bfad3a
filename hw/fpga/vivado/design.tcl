# The block design: PCIe bridge, clock crossing, card. Everything of the card runs at the board's clock_mhz.

proc make_design {board} {
    create_bd_design card

    # PCIe 3.0 x16: 512 bits at 250 MHz, one streaming channel each way, registers behind a 64 kB window.
    set xdma [create_bd_cell -type ip -vlnv xilinx.com:ip:xdma xdma]
    set_property -dict [list \
        CONFIG.functional_mode {DMA} \
        CONFIG.mode_selection {Advanced} \
        CONFIG.pl_link_cap_max_link_width {X16} \
        CONFIG.pl_link_cap_max_link_speed {8.0_GT/s} \
        CONFIG.axi_data_width {512_bit} \
        CONFIG.axisten_freq {250} \
        CONFIG.xdma_axi_intf_mm {AXI_Stream} \
        CONFIG.xdma_rnum_chnl {1} \
        CONFIG.xdma_wnum_chnl {1} \
        CONFIG.xdma_num_usr_irq {1} \
        CONFIG.axilite_master_en {true} \
        CONFIG.axilite_master_size {64} \
        CONFIG.axilite_master_scale {Kilobytes} \
        CONFIG.pcie_blk_locn [value $board pcie_block] \
    ] $xdma

    set buffer [create_bd_cell -type ip -vlnv xilinx.com:ip:util_ds_buf pcie_clock]
    set_property CONFIG.C_BUF_TYPE {IBUFDSGTE} $buffer
    make_bd_intf_pins_external -name pcie_refclk [get_bd_intf_pins pcie_clock/CLK_IN_D]
    make_bd_intf_pins_external -name pcie_mgt [get_bd_intf_pins xdma/pcie_mgt]
    make_bd_pins_external -name pcie_perstn [get_bd_pins xdma/sys_rst_n]
    connect_bd_net [get_bd_pins pcie_clock/IBUF_OUT] [get_bd_pins xdma/sys_clk_gt]
    connect_bd_net [get_bd_pins pcie_clock/IBUF_DS_ODIV2] [get_bd_pins xdma/sys_clk]

    # The card's clock, from the bridge's 250 MHz.
    set clock [create_bd_cell -type ip -vlnv xilinx.com:ip:clk_wiz clock]
    set_property -dict [list \
        CONFIG.PRIM_IN_FREQ {250.000} \
        CONFIG.CLKOUT1_REQUESTED_OUT_FREQ [value $board clock_mhz] \
        CONFIG.RESET_TYPE {ACTIVE_LOW} \
        CONFIG.PRIM_SOURCE {No_buffer} \
    ] $clock
    set reset [create_bd_cell -type ip -vlnv xilinx.com:ip:proc_sys_reset reset]
    connect_bd_net [get_bd_pins xdma/axi_aclk] [get_bd_pins clock/clk_in1]
    connect_bd_net [get_bd_pins xdma/axi_aresetn] [get_bd_pins clock/resetn] [get_bd_pins reset/ext_reset_in]
    connect_bd_net [get_bd_pins clock/locked] [get_bd_pins reset/dcm_locked]
    connect_bd_net [get_bd_pins clock/clk_out1] [get_bd_pins reset/slowest_sync_clk]

    set card [create_bd_cell -type module -reference nvnmd_card_bd card]
    connect_bd_net [get_bd_pins clock/clk_out1] [get_bd_pins card/aclk]
    connect_bd_net [get_bd_pins reset/peripheral_aresetn] [get_bd_pins card/aresetn]

    # Streams cross between the clocks through FIFOs that also cross between dies.
    cross_stream to_card [list xdma/M_AXIS_H2C_0 xdma/axi_aclk xdma/axi_aresetn] [list card/s_axis clock/clk_out1]
    cross_stream from_card [list card/m_axis clock/clk_out1 reset/peripheral_aresetn] [list xdma/S_AXIS_C2H_0 xdma/axi_aclk]

    set registers [create_bd_cell -type ip -vlnv xilinx.com:ip:axi_clock_converter registers]
    connect_bd_intf_net [get_bd_intf_pins xdma/M_AXI_LITE] [get_bd_intf_pins registers/S_AXI]
    connect_bd_intf_net [get_bd_intf_pins registers/M_AXI] [get_bd_intf_pins card/s_axi]
    connect_bd_net [get_bd_pins xdma/axi_aclk] [get_bd_pins registers/s_axi_aclk]
    connect_bd_net [get_bd_pins xdma/axi_aresetn] [get_bd_pins registers/s_axi_aresetn]
    connect_bd_net [get_bd_pins clock/clk_out1] [get_bd_pins registers/m_axi_aclk]
    connect_bd_net [get_bd_pins reset/peripheral_aresetn] [get_bd_pins registers/m_axi_aresetn]
    assign_bd_address -offset 0x0 -range 64K [get_bd_addr_segs card/s_axi/reg0]

    # The interrupt crosses between the clocks inside the card (interrupt.xdc).
    connect_bd_net [get_bd_pins xdma/axi_aclk] [get_bd_pins card/irq_clk]
    connect_bd_net [get_bd_pins card/irq_req] [get_bd_pins xdma/usr_irq_req]
    connect_bd_net [get_bd_pins xdma/usr_irq_ack] [get_bd_pins card/irq_ack]

    validate_bd_design
    save_bd_design
}

# `from` is a stream with its clock and reset, `to` a stream with its clock.
proc cross_stream {name from to} {
    lassign $from source source_clock source_reset
    lassign $to sink sink_clock
    set fifo [create_bd_cell -type ip -vlnv xilinx.com:ip:axis_data_fifo $name]
    set_property -dict [list CONFIG.FIFO_DEPTH {512} CONFIG.IS_ACLK_ASYNC {1} CONFIG.FIFO_MEMORY_TYPE {block}] $fifo
    connect_bd_intf_net [get_bd_intf_pins $source] [get_bd_intf_pins $name/S_AXIS]
    connect_bd_intf_net [get_bd_intf_pins $name/M_AXIS] [get_bd_intf_pins $sink]
    connect_bd_net [get_bd_pins $source_clock] [get_bd_pins $name/s_axis_aclk]
    connect_bd_net [get_bd_pins $source_reset] [get_bd_pins $name/s_axis_aresetn]
    connect_bd_net [get_bd_pins $sink_clock] [get_bd_pins $name/m_axis_aclk]
}
