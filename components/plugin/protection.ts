import { ConstructRequest } from "@pulumi/pulumi/proto/provider_pb";

/**
 * Lets a component tell `protect: false` from none given. The SDK's server makes false of both, and what holds data would
 * be without the protection that it has unless a program lifts it.
 */
export function tellUnsetProtection(): void {
  const request = ConstructRequest.prototype;
  const given = request.getProtect;
  request.getProtect = function (this: ConstructRequest) {
    return this.hasProtect() ? given.call(this) : undefined;
  };
}
