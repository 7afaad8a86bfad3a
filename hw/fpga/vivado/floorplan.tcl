# Hints for the three dies (SLRs) of a VU9P: what talks most stands on one die, and only narrow streams cross. PCIe and its
# bridge lie on the die with the PCIe block; the fitting network, three quarters of the multipliers, takes the two others.

# `slrs` are three dies, that of PCIe first; `layers` are those of the fitting network.
proc write_floorplan {path slrs layers} {
    lassign $slrs near middle far
    set inside {card_i/card/inst/i_card/i_shell}
    set stream [open $path w]
    puts $stream "# Written by floorplan.tcl."
    set blocks [list \
        [list pblock_near $near [list card_i/xdma $inside/i_core/i_in $inside/i_core/i_out $inside/i_core/i_pipeline/i_neighbors \
            $inside/i_core/i_pipeline/i_wait $inside/i_core/i_pipeline/i_force]] \
        [list pblock_middle $middle [list $inside/i_core/i_pipeline/i_descriptor $inside/i_core/i_pipeline/i_grad]]]
    # The layers are shared between the dies: the first, the widest of streams, stays beside the descriptor.
    for {set layer 0} {$layer < $layers} {incr layer} {
        set die [expr {$layer * 2 < $layers ? $middle : $far}]
        lappend blocks [list pblock_layer_$layer $die [list "$inside/i_core/i_pipeline/i_net/g_layer\[$layer\].i_layer"]]
    }
    foreach block $blocks {
        lassign $block name die cells
        puts $stream "create_pblock $name"
        puts $stream "resize_pblock $name -add $die"
        puts $stream "add_cells_to_pblock $name \[get_cells -quiet {$cells}\]"
    }
    close $stream
}
