# The level that asks for an interrupt comes from the card's clock; two flip-flops of the bridge's clock take it over.
set_false_path -to [get_pins {card_i/card/inst/i_card/i_interrupt/level_sync_reg[0]/D}]
