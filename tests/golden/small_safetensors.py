"""Writes small.safetensors by the description of the format alone (struct and json, no library).

    /usr/bin/python3 tests/golden/small_safetensors.py

https://huggingface.co/docs/safetensors#format: 8 bytes with the length of the header, little-endian; the header in
JSON; the tensors. Not as core/checkpoint.ts writes it, but as it must be able to read it: the header in another order
than the data, unpadded (so that the data is not aligned), with spaces in the JSON, a scalar and an empty tensor.
"""

import json
import pathlib
import struct

tensors = [
    ("bytes", "U8", [3], struct.pack("<3B", 1, 128, 255)),
    ("weight", "F32", [2, 3], struct.pack("<6f", 0.0, -1.5, 3.140625, 1e-45, 3.4028234663852886e38, 0.1)),
    ("empty", "F32", [0, 4], b""),
    ("step", "U32", [], struct.pack("<I", 4294967295)),
]
entries, data = [], b""
for name, dtype, shape, content in tensors:
    entries.append((name, {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}))
    data += content
header = {"__metadata__": {"model": "vae", "note": "β = 1"}, **dict(reversed(entries))}
encoded = json.dumps(header, ensure_ascii=False).encode()
assert len(encoded) % 8 != 0

path = pathlib.Path(__file__).with_name("small.safetensors")
path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + data)
