export { type VirtualIp, type Vrrp, type VrrpArgs, virtualIpSchema, vrrpSchema } from "./args";
export { addressMovesFirst, authPassSecret, handOver, installVirtualIp, virtualIp } from "./config";
export { apartFromPassword, type Holder, networkOf, type VirtualIpConfig, virtualIpOn, vrrpPassword } from "./model";
