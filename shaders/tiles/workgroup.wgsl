// Tile for GPUs: a workgroup forms TILE_ROWS x TILE_COLUMNS of the result from blocks of both operands that are staged in
// workgroup memory, TILE_DEPTH values of the summed index at a time. Its invocations are $parts parts of 8 x DOWN: each part sums
// its share of every block, and an invocation has $rows rows x $vectors times 4 columns of the result.
//
// All three products come down to the same inner loop, R[row, column] = sum over k of A[row, k] B[k, column], because the
// staging parts turn an operand while they copy it. The accumulators are named, not an array, and the inner body is unrolled:
// a dynamic index would be checked on every access. The blocks are arrays of arrays, so that the one index which is dynamic is
// the same for every k, and so is its check.
//
// The next block is fetched into registers while this one is summed: a small product has too few workgroups to hide the latency
// of memory behind one another. Several parts are for such products too: more invocations, each with a shorter sum.
//
// Eight invocations side by side have the eight groups of a panel of 32 columns, whatever the tile: that is what row_sum adds
// over, and they read 128 bytes of B in a row, each bank of workgroup memory once. The rows of an invocation are DOWN apart, so
// that neighbours in y have neighbouring rows of A; and a row of A is one vector longer than it needs to be, which puts
// neighbouring rows in different banks.
//
// The result may end within a tile, after a whole number of panels and of DOWN rows; a tile of several parts has rows and columns
// of which every result is a multiple, and one row of an invocation for each part. What is staged beyond an operand's end only reaches results that are not stored.
//
// A dispatch may hold several products of one shape: residues, which differ in what the loaders read, and chunks of the summed
// index, which leave partial sums. A slice is one chunk of one residue.
//
// Needs: fetch_a, put_a, fetch_b, put_b, $store, bias_of, invocation, const DOWN, INVOCATIONS, TILE_ROWS, TILE_COLUMNS4 (in fours),
// TILE_DEPTH, TILE_STRIDE4 (in fours), PART_BLOCKS (of four values of the summed index, in a block's share of a part), ROWS (stored, of
// a residue), COLUMNS4 (stored, in fours), DEPTH (length of the sum, a multiple of 32), CHUNK (of it in a chunk), CHUNKS (in a residue),
// GROUPS (of rows in a slice), ROW_bias; where $sums is 1, the column sums of B are formed too; where $begins is 1, begin_a,
// which is told of the rows of A before they are loaded. $single is 1 where there is one part, else $several is.
// Gives: main, residue, slice, keeps (whether no other workgroup that loads these rows of A comes before).

var<workgroup> tile_a: array<array<vec4f, TILE_STRIDE4>, TILE_ROWS>;
var<workgroup> tile_b: array<array<vec4f, TILE_COLUMNS4>, TILE_DEPTH>;
var<private> residue: u32;
var<private> slice: u32;
var<private> keeps: bool;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  invocation = index;
  let x = index & 7u;
  let y = (index >> 3u) % DOWN;
  let part = index / (8u * DOWN);
  slice = group.y / GROUPS;
  residue = slice / CHUNKS;
  let group_row = (group.y % GROUPS) * TILE_ROWS;
  let group_column4 = group.x * TILE_COLUMNS4;
  keeps = group.x == 0u;
  //: repeat _ 0..$begins
  begin_a(group_row, index);
  //: end
  //: repeat v 0..$vectors
  //: repeat r 0..$rows
  var sum_$r_$v = vec4f();
  //: end
  //: repeat _ 0..$sums
  var column_sum_$v = vec4f();
  //: end
  //: end
  let begin = (group.y / GROUPS % CHUNKS) * CHUNK;
  let end = min(begin + CHUNK, DEPTH);
  var next_a = fetch_a(group_row, begin, index);
  var next_b = fetch_b(begin, 4u * group_column4, index);
  for (var k = begin; k < end; k += TILE_DEPTH) {
    put_a(next_a, index);
    put_b(next_b, index);
    workgroupBarrier();
    if (k + TILE_DEPTH < end) {
      next_a = fetch_a(group_row, k + TILE_DEPTH, index);
      next_b = fetch_b(k + TILE_DEPTH, 4u * group_column4, index);
    }
    //: repeat _ 0..$several
    // The last block may end before the share of this part begins.
    if (k + 4u * part * PART_BLOCKS < end) {
    //: end
    //: repeat k 0..$blocks
    {
      //: repeat r 0..$rows
      let a_$r = tile_a[y + $ru * DOWN][$first + $ku];
      //: end
      //: repeat v 0..$vectors
      {
        let b_x = tile_b[4u * ($first + $ku)][x + 8u * $vu];
        let b_y = tile_b[4u * ($first + $ku) + 1u][x + 8u * $vu];
        let b_z = tile_b[4u * ($first + $ku) + 2u][x + 8u * $vu];
        let b_w = tile_b[4u * ($first + $ku) + 3u][x + 8u * $vu];
        // One after another, so that each can become a fused multiply-add.
        //: repeat r 0..$rows
        sum_$r_$v += a_$r.x * b_x;
        sum_$r_$v += a_$r.y * b_y;
        sum_$r_$v += a_$r.z * b_z;
        sum_$r_$v += a_$r.w * b_w;
        //: end
        //: repeat _ 0..$sums
        if (group_row == 0u) {
          column_sum_$v += b_x + b_y + b_z + b_w;
        }
        //: end
      }
      //: end
    }
    //: end
    //: repeat _ 0..$several
    }
    //: end
    workgroupBarrier();
  }
  //: repeat v 0..$vectors
  let column4_$v = group_column4 + 8u * $vu + x;
  let bias_$v = bias_of(column4_$v);
  //: end
  //: repeat _ 0..$several
  // Each part stores one row of each invocation's: the sum of what the parts have of it, in their order.
  //: repeat r 0..$rows
  hand_over($ru * INVOCATIONS + index, sum_$r_0);
  //: end
  workgroupBarrier();
  var total = bias_0;
  //: repeat p 0..$rows
  total += handed_over(part * INVOCATIONS + $pu * 8u * DOWN + index % (8u * DOWN));
  //: end
  $store(group_row + part * DOWN + y, column4_0, total);
  //: repeat _ 0..$sums
  workgroupBarrier();
  hand_over(index, column_sum_0);
  workgroupBarrier();
  if (group_row == 0u && part == 0u && y == 0u) {
    var column_total = vec4f();
    //: repeat p 0..$rows
    column_total += handed_over($pu * 8u * DOWN + x);
    //: end
    $store(ROW_bias, column4_0, column_total);
  }
  //: end
  //: end
  //: repeat _ 0..$single
  // A loop, since the epilogue may be an optimizer: as many copies of it as an invocation has results take long to compile.
  for (var r = 0u; r < $rowsu; r++) {
    //: repeat v 0..$vectors
    var value_$v = bias_$v;
    //: end
    switch r {
      //: repeat r 0..$rows
      case $ru: {
        //: repeat v 0..$vectors
        value_$v += sum_$r_$v;
        //: end
      }
      //: end
      default: {}
    }
    let row = group_row + r * DOWN;
    //: repeat v 0..$vectors
    if (row < ROWS && group_column4 + 8u * $vu < COLUMNS4) {
      $store(row + y, column4_$v, value_$v);
    }
    //: end
  }
  //: repeat _ 0..$sums
  if (group_row == 0u && y == 0u) {
    //: repeat v 0..$vectors
    if (column4_$v < COLUMNS4) {
      $store(ROW_bias, column4_$v, column_sum_$v);
    }
    //: end
  }
  //: end
  //: end
}
//: repeat _ 0..$several

/// Workgroup memory for handing a value from one invocation to another: the last blocks have been summed by then.
fn hand_over(place: u32, value: vec4f) {
  tile_b[place / TILE_COLUMNS4][place % TILE_COLUMNS4] = value;
}

fn handed_over(place: u32) -> vec4f {
  return tile_b[place / TILE_COLUMNS4][place % TILE_COLUMNS4];
}
//: end
