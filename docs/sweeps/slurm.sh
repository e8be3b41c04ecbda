#!/bin/sh
# One training of a sweep for each task of a Slurm array:
#
#     deno task sweep plan.json --out runs/sweeps/widths --status     # begins it, and says how many trainings there are
#     sbatch --array=0-23 --export=ALL,SWEEP=runs/sweeps/widths docs/sweeps/slurm.sh
#
# With successive halving each rung is an array of its own, that begins when the one before has ended:
#
#     sbatch --array=0-7 --dependency=afterany:JOB --export=ALL,SWEEP=runs/sweeps/widths,RUNG=1 docs/sweeps/slurm.sh
#
#SBATCH --job-name=sweep
#SBATCH --cpus-per-task=2
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=sweep-%A_%a.log
# A minute before its time is over the training is told, and writes a checkpoint.
#SBATCH --signal=B:TERM@60

: "${SWEEP:?the folder of the sweep}"
exec deno task sweep --out "$SWEEP" --rung "${RUNG:-0}" --index "$SLURM_ARRAY_TASK_ID"
