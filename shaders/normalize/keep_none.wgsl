// A normalization that keeps no moving averages. Gives: keep_running.

fn keep_running(channel4: u32, mean: vec4f, variance: vec4f, size: f32) {}
