// Multiply-adds in registers alone: eight independent sums of four lanes each, in a loop whose body holds $unrolled of each.
// Needs: buffer result of vec4f, const ROUNDS. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  // Read, so that no compiler knows them.
  let factor = result[0] + vec4f(0.999);
  let summand = result[1] + vec4f(0.001);
  //: repeat a 0..8
  var sum_$a = vec4f(f32(id.x + $au));
  //: end
  for (var i = 0u; i < ROUNDS; i++) {
    //: repeat r 0..$unrolled
    //: repeat a 0..8
    sum_$a = sum_$a * factor + summand;
    //: end
    //: end
  }
  result[2u + id.x] = sum_0 + sum_1 + sum_2 + sum_3 + sum_4 + sum_5 + sum_6 + sum_7;
}
