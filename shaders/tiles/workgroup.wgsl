// Tile for GPUs: a workgroup of 8 x 8 invocations forms 32 x 32 of the result, each invocation 4 rows x 4 columns, from blocks
// of both operands that are staged in workgroup memory, 32 values of the summed index at a time.
//
// All three products come down to the same inner loop, R[row, column] = sum over k of A[row, k] B[k, column], because the
// staging parts turn an operand while they copy it. The accumulators are named, not an array, and the inner body is unrolled:
// a dynamic index would be checked on every access.
//
// A dispatch may hold several products of one shape: phases, which differ in what the loaders read, and chunks of the summed
// index, which leave partial sums. A slice is one chunk of one phase.
//
// Needs: stage_a, stage_b, $store, bias_of, invocation, const DEPTH (length of the sum), CHUNK (of it in a chunk), CHUNKS (in
// a phase), GROUPS (of rows in a slice), ROW_bias; where $sums is 1, the column sums of B are formed too; where $begins is 1,
// begin_a, which is told of the rows of A before they are loaded.
// Gives: main, phase, slice, keeps (whether no other workgroup that loads these rows of A comes before).

var<workgroup> tile_a: array<vec4f, 256>; // [32 rows][8 x 4 k]
var<workgroup> tile_b: array<vec4f, 256>; // [32 k][8 x 4 columns]
var<private> phase: u32;
var<private> slice: u32;
var<private> keeps: bool;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  invocation = index;
  let x = index & 7u;
  let y = index >> 3u;
  let column4 = group.x * 8u + x;
  slice = group.y / GROUPS;
  phase = slice / CHUNKS;
  let group_row = (group.y % GROUPS) * 32u;
  let row = group_row + y * 4u;
  keeps = group.x == 0u;
  //: repeat _ 0..$begins
  begin_a(group_row, index);
  //: end
  var sum_0 = vec4f();
  var sum_1 = vec4f();
  var sum_2 = vec4f();
  var sum_3 = vec4f();
  //: repeat _ 0..$sums
  var column_sum = vec4f();
  //: end
  let begin = (group.y / GROUPS % CHUNKS) * CHUNK;
  for (var k = begin; k < min(begin + CHUNK, DEPTH); k += 32u) {
    stage_a(group_row, k, index);
    stage_b(k, group.x * 32u, index);
    workgroupBarrier();
    //: repeat k 0..8
    {
      let b_x = tile_b[($ku * 4u + 0u) * 8u + x];
      let b_y = tile_b[($ku * 4u + 1u) * 8u + x];
      let b_z = tile_b[($ku * 4u + 2u) * 8u + x];
      let b_w = tile_b[($ku * 4u + 3u) * 8u + x];
      //: repeat r 0..4
      let a_$r = tile_a[(y * 4u + $ru) * 8u + $ku];
      sum_$r += a_$r.x * b_x + a_$r.y * b_y + a_$r.z * b_z + a_$r.w * b_w;
      //: end
      //: repeat _ 0..$sums
      column_sum += b_x + b_y + b_z + b_w;
      //: end
    }
    //: end
    workgroupBarrier();
  }
  let bias = bias_of(column4);
  //: repeat r 0..4
  $store(row + $ru, column4, sum_$r + bias);
  //: end
  //: repeat _ 0..$sums
  if (group_row == 0u && y == 0u) {
    $store(ROW_bias, column4, column_sum);
  }
  //: end
}
