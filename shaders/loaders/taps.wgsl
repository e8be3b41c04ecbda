// All weights of a kernel in their order, for windows that need no residues. Needs: const KERNEL. Gives: tap_of.

fn tap_of(tap: u32) -> vec2u {
  return vec2u(tap / KERNEL, tap % KERNEL);
}
