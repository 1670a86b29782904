import type { VirtualIpConfig } from "./model";

/**
 * A script that listens to the network segment: exit code 1 and a reason if a stranger announces the same router id (to
 * VRRP's multicast group), or has the address. Our own hosts speak to each other only, and are known.
 */
export function segmentIsFree(config: VirtualIpConfig): string {
  const { address } = config.virtualIp;
  const own = [config.self, ...config.peers].map((holder) => holder.address);
  const seconds = 3 * config.advertInterval + 1;
  return [
    `perl -MSocket=:all - <<'PERL' || exit 1`,
    `my ($vrid, $seconds, %own) = (${config.routerId}, ${seconds}, map { $_ => 1 } qw(${own.join(" ")}));`,
    "socket my $vrrp, PF_INET, SOCK_RAW, 112 or die qq(cannot listen for VRRP: $!\\n);",
    `setsockopt $vrrp, IPPROTO_IP, IP_ADD_MEMBERSHIP, pack 'a4 a4', inet_aton('224.0.0.18'), inet_aton('${config.self.address}')`,
    "  or die qq(cannot listen for VRRP: $!\\n);",
    "for (my $end = time + $seconds; (my $left = $end - time) > 0;) {",
    "  vec(my $ready = '', fileno $vrrp, 1) = 1;",
    "  next if !select $ready, undef, undef, $left;",
    "  my $from = inet_ntoa((sockaddr_in(recv $vrrp, my $packet, 2048, 0))[1]);",
    "  my $header = 4 * (ord($packet) & 15);",
    "  next if $own{$from} || length $packet < $header + 2 || ord(substr $packet, $header + 1) != $vrid;",
    "  print qq($from announces the router id $vrid\\n);",
    "  exit 1;",
    "}",
    "PERL",
    `ip -o -4 address show | grep -qF ' ${address}/' && exit 0`,
    "# who answers for the address, and is it one of ours?",
    `neighbour() { perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Proto => "udp", PeerAddr => "$ARGV[0]:9"); $s && $s->send("")' "$1" || true; }`,
    `for peer in ${[address, ...config.peers.map((peer) => peer.address)].join(" ")}; do neighbour $peer; done`,
    "sleep 1",
    "mac() { ip -4 neigh show to $1 | sed -n 's/.* lladdr \\([0-9a-f:]*\\).*/\\1/p'; }",
    `found=$(mac ${address})`,
    '[ -n "$found" ] || exit 0',
    `for peer in ${config.peers.map((peer) => peer.address).join(" ")}; do [ "$found" != "$(mac $peer)" ] || exit 0; done`,
    `echo "${address} is in use by the host with the MAC address $found"`,
    "exit 1",
  ].join("\n");
}
