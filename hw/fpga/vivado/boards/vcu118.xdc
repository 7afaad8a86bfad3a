# PCIe reference clock of 100 MHz and reset of the edge connector (UG1224, "PCI Express Endpoint Connectivity"). Lane pins follow
# from the PCIe block. Check both pins against the board's manual before the first build: nobody has built this.
set_property PACKAGE_PIN AC9 [get_ports {pcie_refclk_clk_p[0]}]
create_clock -name pcie_refclk -period 10.000 [get_ports {pcie_refclk_clk_p[0]}]
set_property PACKAGE_PIN AM17 [get_ports pcie_perstn]
set_property IOSTANDARD LVCMOS18 [get_ports pcie_perstn]
set_property PULLUP true [get_ports pcie_perstn]
set_false_path -from [get_ports pcie_perstn]
set_property BITSTREAM.GENERAL.COMPRESS true [current_design]
