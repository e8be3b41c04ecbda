// Where the pixels of a fine image lie, in the order in which they are worked on: residue by residue. Pixels whose row and column
// leave the same remainders by the stride are one residue, since the same weights meet them; RESIDUES is the stride, or 1 where the
// stride does not divide the size, or 1 x 1 pixels with all weights.
// Needs: residue, const RESIDUES (a side), TAPS (a side, in a residue), PADDING, FINE_HEIGHT, FINE_WIDTH.
// Gives: fine_y, fine_x, fine_image, place_of, tap_of.

const PHASE_WIDTH = FINE_WIDTH / RESIDUES;
const PHASE_PIXELS = FINE_HEIGHT / RESIDUES * PHASE_WIDTH;

fn fine_image(row: u32) -> u32 {
  return row / PHASE_PIXELS;
}

fn fine_y(row: u32) -> u32 {
  return row % PHASE_PIXELS / PHASE_WIDTH * RESIDUES + residue / RESIDUES;
}

fn fine_x(row: u32) -> u32 {
  return row % PHASE_PIXELS % PHASE_WIDTH * RESIDUES + residue % RESIDUES;
}

/// Image and pixel of a row; padding is beyond the last image.
fn place_of(row: u32) -> vec2u {
  return vec2u(fine_image(row), fine_y(row) * FINE_WIDTH + fine_x(row));
}

/// Row and column in the kernel of the weight that is number `tap` in this residue; beyond the kernel where there is none.
fn tap_of(tap: u32) -> vec2u {
  return vec2u(
    tap / TAPS * RESIDUES + (residue / RESIDUES + PADDING) % RESIDUES,
    tap % TAPS * RESIDUES + (residue % RESIDUES + PADDING) % RESIDUES,
  );
}
