import "../../../stacks/quick-errors";
import * as pulumi from "@pulumi/pulumi";
import {
  type ActiveDirectoryArgs,
  CertificateAuthority,
  type DatabaseEndpointArgs,
  type ExchangeArgs,
  PackageSource,
  type PackageUrlArgs,
  WorksPadCluster,
  type WorksPadPromptsArgs,
  type WorksPadQuestionsArgs,
} from "../../../components";
import { hostsOf } from "../../../stacks/environment";
import { defined } from "../../../stacks/settings";

const config = new pulumi.Config("hastack");
const deb = config.getObject<PackageUrlArgs>("deb");

const ca = new CertificateAuthority("ca");
const workspad = new WorksPadCluster("workspad", {
  hosts: Object.values(hostsOf(config)),
  ca,
  package: deb ? PackageSource.url(deb) : PackageSource.apt("workspad", config.require("version")),
  database: {
    ...config.requireObject<DatabaseEndpointArgs>("database"),
    password: config.requireSecret("databasePassword"),
  },
  healthPath: "/health",
  // no balancer has to see it
  minReadySeconds: 1,
  ...defined({
    prompts: config.getObject<WorksPadPromptsArgs>("prompts"),
    debconf: config.getObject<WorksPadQuestionsArgs>("debconf"),
    balancers: config.getObject<string[]>("balancers"),
    activeDirectory: config.getObject<ActiveDirectoryArgs>("activeDirectory"),
    exchange: config.getObject<ExchangeArgs>("exchange"),
  }),
});

export const authority = ca.certificate;
export const privateKey = workspad.dataProtection.privateKey;
export const outside = workspad.nodes.map((node) => node.outside);
