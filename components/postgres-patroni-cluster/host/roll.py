#!/usr/bin/python3 -B
"""Restarts PostgreSQL on the members where a changed parameter waits for it, one at a time.

  roll.py check NAME…       exit 1 and name the members that wait for a restart
  roll.py run NAME…         restart them: replicas first, then hand over and restart the old leader
  roll.py leads NAME…       exit 1 and say who leads, if it is none of them
  roll.py hand-over NAME…   hand over to one of them

NAME…: the members that are to be. Others are about to leave: nothing is asked of them but to hand over.

Who leads is asked, never assumed, and leadership is not moved back afterwards. Nothing is restarted while any member
is not well. A parameter that a replica may not have lower than its primary is lowered on the primary first, which
then restarts where it is (PostgreSQL manual, 27.4.2; Patroni manual, "PostgreSQL parameters controlled by Patroni").
"""
import subprocess
import sys
import time

from rest import Member, NotYet

# Name of a parameter, and its line in pg_controldata: the value that the primary runs with, replayed on replicas.
NOT_BELOW_PRIMARY = {
    "max_connections": "max_connections setting",
    "max_worker_processes": "max_worker_processes setting",
    "max_wal_senders": "max_wal_senders setting",
    "max_prepared_transactions": "max_prepared_xacts setting",
    "max_locks_per_transaction": "max_locks_per_xact setting",
}
MOST_LAG = 16 * 1024 * 1024
WAIT = 120


LEADERS = ("leader", "standby_leader")


class Cluster(Member):
    """This member, and through it the cluster of those that are to be; until it has handed over, its leader too."""

    def __init__(self, names):
        super().__init__()
        self.names = names

    def members(self):
        return [m for m in super().members() if m["name"] in self.names or m["role"] in LEADERS]


class Roll(Exception):
    """Why the roll stops here; everything else is as it was."""


def at(member):
    return Member(member["api_url"].rsplit("/patroni", 1)[0], member["name"])


def leader_of(members):
    leaders = [m for m in members if m["role"] in LEADERS]
    if len(leaders) != 1:
        raise Roll("the cluster has no leader at present")
    return leaders[0]


def unwell(members):
    """Why the cluster must be left alone now, or None."""
    timeline = leader_of(members).get("timeline")
    for m in members:
        if m["state"] not in ("running", "streaming"):
            return f"{m['name']} is {m['state']}"
        if m["role"] not in LEADERS:
            if m.get("timeline") != timeline:
                return f"{m['name']} is on timeline {m.get('timeline')}, the leader on {timeline}"
            lag = m.get("lag", 0)
            if not isinstance(lag, int) or lag > MOST_LAG:
                return f"{m['name']} lags by {lag} bytes"
    return None


def until_well(member, what):
    end = time.monotonic() + WAIT
    while True:
        try:
            members = member.members()
            reason = unwell(members)
        except (OSError, Roll) as error:
            reason = str(error)
        if reason is None:
            return members
        if time.monotonic() > end:
            raise Roll(f"{what}: {reason}, and has been so for {WAIT} s. Nothing more is restarted; mend it and run again.")
        time.sleep(0.5)


def waits(member):
    return bool(at(member).ask("GET", "/patroni").get("pending_restart"))


def settled(member, members):
    """Every member has seen the configuration as it is now: Patroni has asked etcd for it since, and acted on it."""
    patch = {"loop_wait": at(leader_of(members)).ask("GET", "/config")["loop_wait"]}
    last = {m["name"]: at(m).ask("GET", "/patroni").get("dcs_last_seen", 0) for m in members}
    behind = list(members)
    end = time.monotonic() + WAIT
    while behind:
        if time.monotonic() > end:
            raise Roll(f"Patroni on {behind[0]['name']} has not reached etcd for {WAIT} s")
        for m in behind:
            try:
                # Changes nothing, and wakes the member up, which would else sleep for loop_wait.
                at(m).ask("PATCH", "/config", patch)
            except NotYet:
                pass  # a member that is being taken out may be shut out from etcd already: its lease will end
        time.sleep(0.5)
        there = {m["name"] for m in member.members()}
        behind = [m for m in behind if m["name"] in there]
        # The time is in whole seconds: two later is after now for sure.
        behind = [m for m in behind if at(m).ask("GET", "/patroni").get("dcs_last_seen", 0) < last[m["name"]] + 2]


def lowered(member):
    """Whether the primary runs with more than the configuration wants, of what replicas may not have less of."""
    wanted = member.ask("GET", "/config")["postgresql"]["parameters"]
    postgresql = member.config["postgresql"]
    command = [postgresql["bin_dir"] + "/pg_controldata", "-D", postgresql["data_dir"]]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, env={"LC_ALL": "C"}).stdout
    running = dict(line.split(":", 1) for line in printed.splitlines() if ":" in line)
    return any(int(wanted[name]) < int(running[line]) for name, line in NOT_BELOW_PRIMARY.items() if name in wanted)


def caught_up(members):
    """Every replica has replayed what the leader has written so far."""
    written = at(leader_of(members)).ask("GET", "/patroni")["xlog"]["location"]
    end = time.monotonic() + WAIT
    for m in members:
        while m["role"] not in LEADERS:
            replayed = at(m).ask("GET", "/patroni").get("xlog", {}).get("replayed_location") or 0
            if replayed >= written:
                break
            if time.monotonic() > end:
                raise Roll(f"{m['name']} has not replayed the leader's WAL for {WAIT} s. Nothing more is restarted.")
            time.sleep(0.2)


def restart(member, m):
    print(f"restarting PostgreSQL on {m['name']}", flush=True)
    at(m).ask("POST", "/restart", {"restart_pending": True}, timeout=WAIT + 60)
    until_well(member, f"after the restart of {m['name']}")


def restart_replicas(member):
    for name in [m["name"] for m in member.members()]:
        m = next(m for m in until_well(member, "before the next restart") if m["name"] == name)
        if m["role"] not in LEADERS and waits(m):
            restart(member, m)


def handover(member):
    """The leader, and the replicas that may take over from it."""
    end = time.monotonic() + WAIT
    while True:
        members = until_well(member, "before the switchover")
        leader = leader_of(members)
        replicas = [m for m in members if m is not leader]
        if not replicas:
            raise Roll(f"{leader['name']} leads, and there is nobody to hand over to")
        if not at(leader).ask("GET", "/config").get("synchronous_mode"):
            return leader, replicas
        # Only a synchronous standby has every commit. After a restart of the one that was, Patroni takes a while to name another.
        candidates = [m for m in replicas if m["role"] in ("sync_standby", "quorum_standby")]
        if candidates:
            return leader, candidates
        if time.monotonic() > end:
            raise Roll(f"Patroni has named no synchronous standby for {WAIT} s: nothing is handed over")
        time.sleep(0.5)


def hand_over(member):
    leader, candidates = handover(member)
    candidate = min(candidates, key=lambda m: (m.get("lag", 0), m["name"]))
    print(f"handing over from {leader['name']} to {candidate['name']}", flush=True)
    at(leader).ask("POST", "/switchover", {"leader": leader["name"], "candidate": candidate["name"]}, timeout=WAIT + 60)
    until_well(member, "after the switchover")


def run(member):
    members = until_well(member, "before anything is restarted")
    settled(member, members)
    if lowered(member):
        leader = leader_of(member.members())
        if waits(leader):
            restart(member, leader)
            # A replica takes the lower value only when it has replayed that the primary has it.
            caught_up(until_well(member, "after the restart of the leader"))
    restart_replicas(member)
    leader = leader_of(until_well(member, "before the leader's turn"))
    if waits(leader):
        hand_over(member)
        # The old leader started anew as a replica; were its restart still due, it is one like any other now.
        restart_replicas(member)


def check(member):
    members = member.members()
    waiting = [m["name"] for m in members if waits(m)]
    if waiting:
        print(", ".join(waiting) + (" waits" if len(waiting) == 1 else " wait") + " for a restart of PostgreSQL")
    return 1 if waiting else 0


def leads(member):
    leader = leader_of(member.members())["name"]
    if leader not in member.names:
        print(f"{leader} leads, which is to leave")
    return 0 if leader in member.names else 1


COMMANDS = {"check": check, "run": run, "leads": leads, "hand-over": hand_over}

if __name__ == "__main__":
    command, names = COMMANDS.get("".join(sys.argv[1:2])), sys.argv[2:]
    if command is None or not names:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(command(Cluster(names)))
    except (OSError, Roll, subprocess.CalledProcessError) as error:
        print(error)
        sys.exit(1)
