import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { TestLab } from "./test-lab";

/** Prints every command line that it has not seen yet, ten times a second: what any user of the host could see. */
const watcher = `
$| = 1;
while (1) {
    for my $file (glob '/proc/[0-9]*/cmdline') {
        open my $handle, '<', $file or next;
        local $/;
        my $line = <$handle> // next;
        print $line =~ tr/\\0/ /r, "\\n" if length $line && !$seen{$line}++;
    }
    select undef, undef, undef, 0.1;
}
`;

/** All command lines that appear on a host while something goes on. */
export class ProcessWatch {
  private printed = "";

  private constructor(private readonly client: ChildProcessWithoutNullStreams) {
    client.stdout.on("data", (chunk: Buffer) => {
      this.printed += chunk.toString();
    });
    client.stdin.end(watcher);
  }

  static start(lab: TestLab, host: string): ProcessWatch {
    return new ProcessWatch(lab.beginOn(host, "exec perl -"));
  }

  /** Ends it; returns what it saw. */
  async stop(): Promise<string> {
    const ended = new Promise((resolve) => this.client.once("close", resolve));
    this.client.kill();
    await ended;
    return this.printed;
  }
}
