import "../../../stacks/quick-errors";
import * as pulumi from "@pulumi/pulumi";
import {
  CertificateAuthority,
  type DatabaseEndpoint,
  PackageSource,
  type PackageUrlArgs,
  type RedisEndpoint,
  RuDesktopCluster,
} from "../../../components";
import { hostsOf } from "../../../stacks/environment";
import { defined } from "../../../stacks/settings";

const config = new pulumi.Config("hastack");
const database = config.requireObject<DatabaseEndpoint>("database");
const redis = config.requireObject<RedisEndpoint>("redis");
const deb = config.getObject<PackageUrlArgs>("deb");

const ca = new CertificateAuthority("ca");
const rudesktop = new RuDesktopCluster("rudesktop", {
  hosts: Object.values(hostsOf(config)),
  ca,
  package: deb ? PackageSource.url(deb) : PackageSource.apt("rudesktop"),
  database: { ...database, password: config.requireSecret("databasePassword") },
  redis: { ...redis, password: config.requireSecret("redisPassword") },
  variables: config.getObject("variables") ?? {},
  tomlFiles: config.getObject("tomlFiles") ?? {},
  ...defined({ secretKey: config.getSecret("secretKey"), balancers: config.getObject<string[]>("balancers") }),
});

export const authority = ca.certificate;
export const connectivity = rudesktop.nodes.map((node) => node.connectivity);
