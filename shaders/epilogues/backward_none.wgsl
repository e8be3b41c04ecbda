// For programs without a backward pass, and for what has no gradient. Gives: backward_$m.

fn backward_$m(row: u32, column4: u32, value: vec4f) {
}
