#!/usr/bin/env bash
# A Slurm of one node, this machine, for tests: munge, slurmctld and slurmd with all their files in one folder.
#
#     tests/cluster/slurm.sh start FOLDER      then: export SLURM_CONF=FOLDER/slurm.conf
#     tests/cluster/slurm.sh restart FOLDER    the controller alone
#     tests/cluster/slurm.sh stop FOLDER
#
# It needs root, and Debian's slurm-wlm.
set -euo pipefail
what=$1 folder=$(realpath -m "$2")
node=$(hostname -s)
export SLURM_CONF=$folder/slurm.conf

controller() { slurmctld -f "$SLURM_CONF"; }

# Ends a daemon, and waits until it has.
end() {
  [ -f "$1" ] || return 0
  local pid
  pid=$(cat "$1")
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 100); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
}

case $what in
  start)
    mkdir -p "$folder/state" "$folder/spool" /run/munge
    dd if=/dev/urandom of="$folder/munge.key" bs=1 count=1024 status=none
    chown munge: "$folder/munge.key" /run/munge
    chmod 400 "$folder/munge.key"
    chmod 755 "$folder" /run/munge
    mkdir -p "$folder/munge" && chown munge: "$folder/munge"
    runuser -u munge -- munged --force --key-file="$folder/munge.key" --pid-file="$folder/munge/munged.pid" \
      --log-file="$folder/munge/munged.log" --seed-file="$folder/munge/seed"
    cat > "$SLURM_CONF" <<END
ClusterName=test
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,batch_sched_delay=0
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
MpiDefault=none
KillWait=10
ReturnToService=2
NodeName=$node NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
    controller
    slurmd -f "$SLURM_CONF" -N "$node"
    for _ in $(seq 100); do
      sinfo --noheader --format=%T 2>/dev/null | grep -q idle && exit 0
      sleep 0.2
    done
    tail -5 "$folder"/slurmctld.log "$folder"/slurmd.log >&2
    exit 1
    ;;
  restart)
    end "$folder/slurmctld.pid"
    controller
    ;;
  stop)
    for daemon in slurmd.pid slurmctld.pid munge/munged.pid; do end "$folder/$daemon"; done
    ;;
  *)
    sed -n 2,8p "$0" >&2
    exit 2
    ;;
esac
