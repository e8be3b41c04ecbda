// The partial sums of a result that was formed in one residue: as many as there are chunks, each in the same row.
// Needs: const CHUNKS. Gives: slices_of.

fn slices_of(row: u32) -> vec3u {
  return vec3u(0u, CHUNKS, row);
}
