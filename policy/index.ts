import { PolicyPack } from "@pulumi/policy";
import { dataIsProtected } from "./data-protection";
import { hostKeyIsPinned } from "./host-key";
import { listenersAreGuarded } from "./listeners";
import { quorumIsOdd } from "./quorum";
import { secretsAreHidden } from "./secrets";

/** `pulumi preview --policy-pack policy`; what each one asks for, and how it is set: docs/policies.md. */
new PolicyPack("hastack", {
  enforcementLevel: "mandatory",
  policies: [hostKeyIsPinned, secretsAreHidden, quorumIsOdd, listenersAreGuarded, dataIsProtected],
});
