#!/usr/bin/python3 -IB
"""Patroni, without a fault of the versions 3.0.0 to 3.0.2 (mended in 3.0.3; Debian 12 has 3.0.2).

A leader that stood still for longer than its lease, as a virtual machine does that is moved or saved, wrote its name over
that of its successor in etcd, and what the successor had acknowledged was lost. Here the key is written only if it is
still the leader's own, or nobody's.
"""
import sys
import time

from patroni.__main__ import main
from patroni.dcs import catch_return_false_exception
from patroni.dcs.etcd3 import Etcd3, Etcd3Error
from patroni.version import __version__


@catch_return_false_exception
def update_leader(self):
    """Takes the place of Etcd3._update_leader: whether this member still has the lock."""
    retry = self._retry.copy()

    def patiently(*args, **kwargs):
        return retry(*args, retry=retry, **kwargs)

    def write(**revision):
        retry.deadline = retry.stoptime - time.time()
        if retry.deadline < 1:
            raise Etcd3Error("update_leader timeout")
        args = (self._client.put, self.leader_path, self._name, self._lease)
        return self._run_and_handle_exceptions(*args, retry=patiently, **revision)

    self._run_and_handle_exceptions(self._do_refresh_lease, True, retry=patiently)
    leader = self.cluster and self.cluster.leader
    if leader and leader.session == self._lease:
        return True
    own = leader and leader.name == self._name and leader.index
    return bool(own and write(mod_revision=own) or write(create_revision="0"))


if __name__ == "__main__":
    if __version__ in ("3.0.0", "3.0.1", "3.0.2"):
        Etcd3._update_leader = update_leader
    sys.exit(main())
