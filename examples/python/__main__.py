"""One machine, and a Redis on it that only its clients reach."""

import pulumi
import pulumi_hastack as hastack

config = pulumi.Config()
address = config.require("address")

box = hastack.Host(
    "box",
    address=address,
    connection=hastack.ConnectionArgsArgs(
        host=address,
        user="deploy",
        private_key=config.require_secret("privateKey"),
        host_key=config.require("hostKey"),
    ),
)
ca = hastack.CertificateAuthority("ca")
cache = hastack.RedisSecured("cache", hosts=[box], ca=ca, clients=["192.168.1.0/24"])

pulumi.export("address", cache.address)
pulumi.export("port", cache.port)
pulumi.export("password", cache.password)
pulumi.export("caCertificate", ca.certificate)
