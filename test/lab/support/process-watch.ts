import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { TestLab } from "./test-lab";

/**
 * Prints every command line that it has not seen yet, ten times a second: what any user of the host could see. It ends
 * with its standard input.
 */
const watcher = `
$| = 1;
vec(my $input, 0, 1) = 1;
do {
    for my $file (glob "/proc/[0-9]*/cmdline") {
        open my $handle, "<", $file or next;
        local $/;
        my $line = <$handle> // next;
        print $line =~ tr/\\0/ /r, "\\n" if length $line && !$seen{$line}++;
    }
} until select my $ended = $input, undef, undef, 0.1;
`;

/** All command lines that appear on a host while something goes on. */
export class ProcessWatch {
  private printed = "";

  private constructor(private readonly client: ChildProcessWithoutNullStreams) {
    client.stdout.on("data", (chunk: Buffer) => {
      this.printed += chunk.toString();
    });
  }

  static start(lab: TestLab, host: string): ProcessWatch {
    return new ProcessWatch(lab.beginOn(host, `exec perl -e '${watcher}'`));
  }

  /** Ends it; returns what it saw. */
  async stop(): Promise<string> {
    const ended = new Promise((resolve) => this.client.once("close", resolve));
    this.client.stdin.end();
    await ended;
    return this.printed;
  }
}
