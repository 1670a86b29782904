import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { TestLab } from "./test-lab";

/** Prints the time of each answer to PostgreSQL's SSLRequest, which a pooler gives without its database. */
const client = `
use Socket qw(:all); use Time::HiRes qw(time sleep);
$| = 1; $SIG{PIPE} = "IGNORE";
my ($address, $port) = @ARGV;
sub ready { my ($s, $write) = @_; vec(my $bits = "", fileno $s, 1) = 1; select $write ? undef : $bits, $write ? $bits : undef, undef, 0.3 }
sub answers {
    socket my $s, PF_INET, SOCK_STREAM, 0 or return 0;
    $s->blocking(0);
    connect $s, sockaddr_in($port, inet_aton($address));
    ready($s, 1) or return 0;
    syswrite $s, pack "NN", 8, 80877103 or return 0;
    ready($s, 0) or return 0;
    my $answer = "";
    return sysread($s, $answer, 1) && $answer eq "S";
}
vec(my $input, 0, 1) = 1;
do { print time, "\\n" if answers() } until select my $ended = $input, undef, undef, 0.05;
`;

/** Asks a pooler for a sign of life with a new connection, again and again. */
export class AddressWatch {
  private readonly child: ChildProcessWithoutNullStreams;
  private printed = "";

  constructor(lab: TestLab, address: string, port: number) {
    this.child = lab.begin(["perl", "-MIO::Handle", "-e", client, address, String(port)]);
    this.child.stdout.on("data", (chunk: Buffer) => {
      this.printed += chunk.toString();
    });
  }

  /** Ends it; returns the longest time in seconds between two answers. */
  async stop(): Promise<number> {
    const ended = new Promise((resolve) => this.child.once("close", resolve));
    this.child.stdin.end();
    await ended;
    const times = this.printed.trim().split("\n").map(Number);
    if (times.length < 10) throw new Error(`the address answered ${times.length} times only`);
    return Math.max(...times.map((time, i) => time - (times[i - 1] ?? time)));
  }
}
