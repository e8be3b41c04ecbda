#!/usr/bin/env bash
# Everything that is measured on a GPU, in one go: what the adapter can do at most, the kernels and whole steps at all batch sizes, PyTorch
# beside them where there is one, and every tile on the products of these steps. Results go to a folder, bench/results by default:
#   bench/gpu.sh [FOLDER]
# Where there is no GPU it runs on the software adapter, with shorter rounds; TORCH names a script that
# prints PyTorch's figures, PYTHON what runs it.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
out=${1:-bench/results}
mkdir -p "$out" || exit 1
torch=${TORCH:-.gpu/torch_vae.py} python=${PYTHON:-python3}
adapter=$(deno eval 'import { Gpu } from "./core/gpu/device.ts"; using gpu = await Gpu.open(); console.log(gpu.cpu ? "cpu" : "gpu", gpu.adapter)') || exit 1
echo "${adapter#* }"
name="$out/$(date +%F)-$(echo "${adapter#* }" | tr -cs 'A-Za-z0-9' '-' | tr 'A-Z' 'a-z' | sed 's/-$//')"
if [ "${adapter%% *}" = gpu ]; then seconds=1 rounds=5 batches="100 128 1024 8192" vq="32 128"
else seconds=0.5 rounds=2 batches="100 128 1024" vq="32"; fi
list=$(for batch in $batches; do echo "500-20:$batch"; echo "500-500-3:$batch"; done; for batch in $vq; do echo "vq-512:$batch"; done)
deno run -A bench/bench.ts --json --profile --seconds "$seconds" --rounds "$rounds" \
  --configurations "$(echo $list | tr ' ' ',')" > "$name.jsonl" || exit 1
if [ -f "$torch" ] && "$python" -c 'import torch' 2>/dev/null; then
  "$python" "$torch" --batches "$(echo $batches | tr ' ' ',')" --seconds "$seconds" --rounds "$rounds" > "$name-torch.jsonl" ||
    echo "PyTorch's figures failed" >&2
else
  echo "No PyTorch here: its column is left out"
fi
# In a folder of its own, so that no training takes these choices.
root=$PWD timings=$(mktemp)
(cd "$(mktemp -d)" && deno run -A --config "$root/deno.json" "$root/tasks/tune.ts" --seconds 8 --json) > "$timings" || exit 1
[ ! -s "$timings" ] || cp "$timings" "$name-tiles.jsonl" # with panel tiles there is nothing to choose
deno run -A bench/table.ts "$name.jsonl" $([ -s "$name-torch.jsonl" ] && echo "$name-torch.jsonl")
