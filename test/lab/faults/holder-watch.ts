import { type PoolerCluster, virtualIp } from "../pooler/cluster";
import { HostWatch } from "../support/host-watch";

const script = `
use Time::HiRes qw(time);
$| = 1;
vec(my $input, 0, 1) = 1;
do {
    my $begin = time;
    my $holds = qx(ip -o address show to ${virtualIp}/32) ? 1 : 0;
    print join(" ", $begin, time, $holds), "\\n";
} until select my $ended = $input, undef, undef, 0.1;
`;

/** Looks all the time which hosts have the address. */
export function watchHolders(cluster: PoolerCluster): HostWatch {
  return new HostWatch(cluster.lab, cluster.proxies.names, `exec perl -e '${script}'`);
}
