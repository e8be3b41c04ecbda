// The rows of a context are the items of all images: [N ITEMS, ...]. Needs: at, buffer image of vec4f, const ROWS_image, ITEMS.
// Gives: item_of, channels.

fn item_of(row: u32) -> u32 {
  return row % ITEMS;
}

/// Four channels of an item of the same image.
fn channels(row: u32, item: u32, column4: u32) -> vec4f {
  return image[at(ROWS_image, row - row % ITEMS + item, column4)];
}
