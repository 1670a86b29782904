import "../../stacks/quick-errors";
import * as pulumi from "@pulumi/pulumi";
import { hostsOf } from "../../stacks/environment";

/** Hosts and nothing on them: all that a preview does here is to ask them. */
hostsOf(new pulumi.Config("hastack"));
