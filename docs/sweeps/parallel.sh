#!/bin/sh
# A sweep by GNU parallel, with two trainings at a time on each machine:
#
#     docs/sweeps/parallel.sh plan.json runs/sweeps/widths
#     docs/sweeps/parallel.sh plan.json runs/sweeps/widths -S 2/first,2/second --workdir .    # several, with a common folder
#     docs/sweeps/parallel.sh plan.json runs/sweeps/widths --resume-failed                    # what failed or was killed
#
set -eu
plan=$1 out=$2
shift 2
count=$(deno task --quiet sweep "$plan" --out "$out" --status --json | wc -l)
seq 0 "$((count - 1))" | parallel --jobs 2 --joblog "$out/joblog" "$@" deno task --quiet sweep --out "$out" --index {}
