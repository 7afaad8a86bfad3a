// The only rounding and saturation of the integer model (docs/numerics.md, section 1).
// Words are sign-extended to 64 bits at the call; synthesis trims what cannot change.
// Written for yosys too: called as fixed_pkg::rnd, results assigned to the function's name.
`default_nettype none

package fixed_pkg;

  // floor((value + 2^(shift-1)) / 2^shift): round half up. The model's shifts are 0 … 40.
  function automatic logic signed [63:0] rnd(input logic signed [63:0] value, input logic [5:0] shift);
    rnd = shift == 0 ? value : (value + (64'sd1 <<< (shift - 6'd1))) >>> shift;
  endfunction

  // Clamp to the symmetric range of a word of `bits` bits.
  function automatic logic signed [63:0] sat(input logic signed [63:0] value, input logic [5:0] bits);
    logic signed [63:0] top;
    top = (64'sd1 <<< (bits - 6'd1)) - 64'sd1;
    sat = value > top ? top : value < -top ? -top : value;
  endfunction

  // Whether sat changes the word.
  function automatic logic clips(input logic signed [63:0] value, input logic [5:0] bits);
    logic signed [63:0] top;
    top = (64'sd1 <<< (bits - 6'd1)) - 64'sd1;
    clips = value > top || value < -top;
  endfunction

endpackage

`default_nettype wire
