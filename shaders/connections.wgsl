// Which weights of a layer there are: those from an input of a lower degree to an output of a higher, or of the same where it is not
// strict. Rows beyond the inputs are the bias's.
// Needs: const INPUTS, STRICT, and of each side PERIOD_*, FIRST_*, REVERSED_*, FREE_*. Gives: connected.

fn degree_of(index: u32, period: u32, first: u32, reversed: u32, free: u32) -> u32 {
  let place = index % period;
  return select(first + select(place, period - 1u - place, reversed == 1u), 0u, index >= free);
}

fn connected(row: u32, column4: u32) -> vec4f {
  let source = degree_of(row, PERIOD_inputs, FIRST_inputs, REVERSED_inputs, FREE_inputs) + STRICT;
  var found: vec4f;
  for (var i = 0u; i < 4u; i++) {
    let target_degree = degree_of(4u * column4 + i, PERIOD_outputs, FIRST_outputs, REVERSED_outputs, FREE_outputs);
    found[i] = select(0.0, 1.0, row >= INPUTS || target_degree >= source);
  }
  return found;
}
