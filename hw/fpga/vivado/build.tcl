# Builds the bitstream of a card: XDMA on PCIe 3.0 x16 around nvnmd_card. Called by Vivado 2022.2 or later:
#
#   vivado -mode batch -source build.tcl -tclargs BOARD PARAMETERS OUTPUT
#
# BOARD is a file of boards/, PARAMETERS a file of lines `NAME VALUE` (nvnmd compile --target rtl writes both and this call).
# This script has never been run: no Vivado was at hand when it was written (docs/hardware.md, "What nobody has tried").

set here [file dirname [file normalize [info script]]]
set rtl [file normalize [file join $here .. rtl]]

proc fail {sentence} {
    puts stderr "build.tcl: $sentence"
    exit 1
}

# A file of lines `KEY VALUE`; `#` starts a comment line.
proc read_pairs {path} {
    if {![file readable $path]} { fail "$path cannot be read" }
    set pairs [dict create]
    set stream [open $path]
    foreach line [split [read $stream] "\n"] {
        set line [string trim $line]
        if {$line eq "" || [string index $line 0] eq "#"} { continue }
        dict set pairs [lindex $line 0] [lrange $line 1 end]
    }
    close $stream
    return $pairs
}

proc value {pairs key} {
    if {![dict exists $pairs $key]} { fail "the board has no $key" }
    return [dict get $pairs $key]
}

if {[llength $argv] != 3} { fail "needs three arguments: BOARD PARAMETERS OUTPUT" }
lassign $argv board_file parameter_file output
set board [read_pairs $board_file]
set parameters [read_pairs $parameter_file]
file mkdir $output

# Sources: fixed_pkg first, the modules in any order.
set sources [list [file join $rtl fixed_pkg.sv]]
foreach path [lsort [glob [file join $rtl *.sv]]] {
    if {[file tail $path] ne "fixed_pkg.sv"} { lappend sources $path }
}

create_project nvnmd $output -part [value $board part] -force
if {[value $board board_part] ne "-"} { set_property board_part [value $board board_part] [current_project] }
add_files -norecurse $sources
set_property file_type SystemVerilog [get_files *.sv]

# A block design takes modules in Verilog only, so a wrapper of the card's ports is written.
set wrapper [file join $output nvnmd_card_bd.v]
source [file join $here wrapper.tcl]
write_wrapper $wrapper $parameters
add_files -norecurse $wrapper
update_compile_order -fileset sources_1

source [file join $here design.tcl]
make_design $board
set design [get_files card.bd]
generate_target all $design
make_wrapper -files $design -top -import
set_property top card_wrapper [current_fileset]

# Constraints: pins and clocks of the board, then where the large blocks should lie.
add_files -fileset constrs_1 -norecurse [file join $here [value $board constraints]]
add_files -fileset constrs_1 -norecurse [file join $here interrupt.xdc]
set floorplan [file join $output floorplan.xdc]
source [file join $here floorplan.tcl]
write_floorplan $floorplan [value $board slrs] [dict get $parameters LAYERS]
add_files -fileset constrs_1 -norecurse $floorplan
set_property used_in_synthesis false [get_files {floorplan.xdc interrupt.xdc}]

set_property strategy Flow_PerfOptimized_high [get_runs synth_1]
set_property strategy Performance_ExplorePostRoutePhysOpt [get_runs impl_1]
launch_runs impl_1 -to_step write_bitstream -jobs 4
wait_on_run impl_1
if {[get_property PROGRESS [get_runs impl_1]] ne "100%"} { fail "the implementation failed; see $output/nvnmd.runs" }

open_run impl_1
report_timing_summary -file [file join $output timing.txt]
report_utilization -hierarchical -file [file join $output utilization.txt]
report_power -file [file join $output power.txt]
set slack [get_property SLACK [get_timing_paths -max_paths 1]]
if {$slack < 0} { fail "timing is missed by [expr {-$slack}] ns: ask for a lower clock_mhz in the board's file, see $output/timing.txt" }
file copy -force [file join $output nvnmd.runs impl_1 card_wrapper.bit] [file join $output nvnmd.bit]
puts "build.tcl: $output/nvnmd.bit"
