"""A database cluster behind its poolers: what javascript/index.js makes, in Python."""

import pulumi
import pulumi_hastack as hastack

config = pulumi.Config()


def host(name: str, reached: dict) -> hastack.Host:
    return hastack.Host(
        name,
        address=reached["address"],
        connection=hastack.ConnectionArgsArgs(
            host=reached["address"],
            user="deploy",
            private_key=config.require_secret("privateKey"),
            host_key=reached["hostKey"],
        ),
        apt=config.require_object("apt"),
        memory_mi_b=1024,
        cores=2,
    )


hosts = {name: host(name, reached) for name, reached in config.require_object("hosts").items()}
members = [hosts[name] for name in ("psql1", "psql2", "psql3")]
proxies = [hosts[name] for name in ("proxy1", "proxy2")]

ca = hastack.CertificateAuthority("ca")
etcd = hastack.EtcdQuorum("etcd", members=members, ca=ca)
cluster = hastack.PostgresPatroniCluster(
    "workspad",
    members=members,
    etcd=etcd,
    databases=[hastack.DatabaseArgsArgs(name="workspad", extensions=["pg_trgm"])],
    roles=[{"name": "reader", "login": False, "member_of": ["pg_read_all_data"]}],
    # The lab's disks are small.
    parameters={"max_connections": 120, "wal_compression": True, "max_wal_size": "256MB", "min_wal_size": "80MB"},
    poolers=proxies,
)
db = hastack.PgBouncerVipPair(
    "db",
    hosts=proxies,
    cluster=cluster,
    virtual_ip="192.168.1.200/24",
    databases=[{"name": "workspad", "pool_mode": "transaction", "pool_size": 7}],
)

pulumi.export("address", db.address)
pulumi.export("port", db.port)
pulumi.export("passwords", cluster.passwords)
pulumi.export("caCertificate", cluster.ca_certificate)
