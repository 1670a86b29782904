import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { lineDiff } from "../../components/cli/line-diff";
import { type Preview, type PreviewStep, parsePreview } from "../../components/cli/preview";
import { reviewOf } from "../../components/cli/review";
import { marker, reviewForms } from "../../components/cli/review-report";
import { agentVersion } from "../../components/converge/agent";
import { installation } from "../../components/host/installation";

const quorum = "hastack:index:EtcdQuorum";
const command = "command:remote:Command";
const urn = (types: string, name: string) => `urn:pulumi:dev::hastack::${types}::${name}`;

function golden(name: string): string {
  return readFileSync(join(__dirname, "golden", name), "utf8");
}

interface Unit {
  text: string;
  secrets?: string;
  token?: string;
}

/** A unit of etcd in the engine's JSON. */
function unit(op: string, host: string, before?: Unit, after?: Unit): PreviewStep {
  const state = (given: Unit | undefined) =>
    given && {
      inputs: {
        connection: "[secret]",
        create: `sudo -n /usr/local/lib/hastack/converge apply etcd ${given.secrets ?? "-"} '${given.token ?? "install:1"}'`,
        delete: "sudo -n /usr/local/lib/hastack/converge remove etcd",
        stdin: given.text,
      },
      dependencies: [
        urn("hastack:index:Host$random:index/randomPassword:RandomPassword", `${host}-digest-key`),
        urn(`hastack:index:Host$${command}`, `${host}-base`),
        urn(`${quorum}$${command}`, "etcd-other-base"),
      ],
    };
  return { op, urn: urn(`${quorum}$${command}`, `etcd-${host}`), oldState: state(before), newState: state(after) };
}

/** What installs the agent on a host, by another version of hastack before. */
function agent(host: string): PreviewStep {
  const state = (stdin: string) => ({ inputs: { create: "sh -c '… apply agent …' sh install:1", stdin } });
  return {
    op: "update",
    urn: urn(`hastack:index:Host$${command}`, `${host}-agent`),
    oldState: state(installation().replace(agentVersion, "0123456789ab")),
    newState: state(installation()),
  };
}

const stack: PreviewStep = { op: "same", urn: urn("pulumi:pulumi:Stack", "hastack-dev") };
const before: Unit = { text: golden("etcd.txt") };
const after: Unit = { text: before.text.replace('HEARTBEAT_INTERVAL="100"', 'HEARTBEAT_INTERVAL="200"') };
const drifted: Unit = {
  ...before,
  token: "drift:abcdef /etc/etcd/etcdctl.env mode 0644, want 0600; etcd.service inactive",
};

const rolled: Preview = {
  steps: [
    stack,
    ...["psql1", "psql2"].map((host) => unit("update", host, before, after)),
    unit("update", "psql3", before, drifted),
    { op: "update", urn: urn("hastack:index:Host$random:index/randomPassword:RandomPassword", "psql1-digest-key") },
    ...["create-replacement", "replace", "delete-replaced"].map((op) => ({
      op,
      urn: urn("hastack:index:CertificateAuthority$tls:index/locallySignedCert:LocallySignedCert", "etcd-psql1-server"),
    })),
  ],
  diagnostics: [
    { severity: "warning", message: "Host psql4 cannot be asked | @everyone <b>\n" },
    { severity: "info", message: "restarts etcd" },
  ],
};

const empty: Preview = { steps: [stack] };

function form(name: string, preview: Preview): string {
  const render = reviewForms[name];
  assert.ok(render, name);
  return render(reviewOf(preview));
}

describe("the review of a change", () => {
  test("as Markdown and as text, line by line (UPDATE_GOLDEN=1 writes the files anew)", () => {
    for (const [name, file] of [
      ["markdown", "review.md"],
      ["text", "review.txt"],
    ] as const) {
      const path = join(__dirname, "golden", file);
      const text = form(name, rolled);
      if (process.env.UPDATE_GOLDEN) writeFileSync(path, text);
      assert.ok(existsSync(path));
      assert.equal(text, readFileSync(path, "utf8"));
    }
  });

  test("says what restarts, where, how, and how grave that is", () => {
    const { risk, effects, hosts, removals } = reviewOf(rolled);
    assert.equal(risk, "rolling restart");
    assert.deepEqual(
      effects.map(({ action, service, hosts: where }) => [action, service, where]),
      [
        ["restarts", "etcd", ["psql1", "psql2"]],
        ["starts", "etcd", ["psql3"]],
      ],
    );
    assert.deepEqual(hosts, { psql1: ["etcd"], psql2: ["etcd"], psql3: ["etcd"] });
    assert.deepEqual(removals, [], "a certificate made anew is no removal");
  });

  test("the same change on several hosts stands once", () => {
    assert.deepEqual(
      reviewOf(rolled).changes.map(({ what, hosts }) => [what, hosts]),
      [["/etc/default/etcd", ["psql1", "psql2"]]],
    );
  });

  test("drift is named with its reason, and so is a host that was rebuilt", () => {
    assert.deepEqual(reviewOf(rolled).drift, [
      { host: "psql3", role: "etcd", reasons: ["/etc/etcd/etcdctl.env mode 0644, want 0600", "etcd.service inactive"] },
    ]);
    const rebuilt = reviewOf({ steps: [unit("update", "psql1", before, { ...before, token: "join:12345678" })] });
    assert.match(rebuilt.drift[0]?.reasons[0] ?? "", /was rebuilt, or has lost its state/);
  });

  test("what is deleted or replaced is of high risk, and a purge says so", () => {
    const gone = unit("delete", "psql1", before);
    const purged = {
      ...gone,
      oldState: { ...gone.oldState, inputs: { ...gone.oldState?.inputs, delete: "… --purge" } },
    };
    const key = { op: "replace", urn: urn("tls:index/privateKey:PrivateKey", "ca-key") };
    const review = reviewOf({ steps: [stack, purged, key] });
    assert.equal(review.risk, "removal");
    const markdown = form("markdown", { steps: [stack, purged, key] });
    assert.match(markdown, /risk \*\*high: something is deleted or replaced\*\*/);
    assert.match(markdown, /- deletes command:remote:Command etcd-psql1, and its data with it/);
    assert.match(markdown, /- replaces tls:index\/privateKey:PrivateKey ca-key/);
    assert.match(markdown, /- stops etcd on psql1/);
  });

  test("another version of the program on the hosts is named, once, and its code is not shown", () => {
    const steps = [stack, agent("psql1"), agent("psql2")];
    const said = `converge 0123456789ab -> ${agentVersion} on psql1, psql2`;
    assert.equal(form("text", { steps }), `hastack/dev: risk none\n  ${said}\n`);
    assert.match(form("markdown", { steps }), /^- converge 0123456789ab -&#62; \w{12} on psql1, psql2$/m);
  });

  test("nothing is said of what does not change", () => {
    assert.equal(
      form("markdown", empty),
      `${marker("hastack/dev")}\n\n### <code>hastack/dev</code>: nothing would change\n`,
    );
    assert.equal(form("text", empty), "hastack/dev: nothing would change\n");
  });

  test("the comment can be found again: its first line is the same in every run", () => {
    for (const preview of [rolled, empty]) {
      assert.equal(form("markdown", preview).split("\n")[0], "<!-- hastack-review: hastack/dev -->");
    }
  });

  test("nothing that a host or a program says becomes markup, a mention, or another comment", () => {
    const text = form("markdown", rolled);
    assert.ok(!/@everyone|<b>/.test(text), text);
    const fenced = { ...after, text: after.text.replace("ETCD_NAME", "````\n<!-- hastack-review: x -->\nETCD_NAME") };
    assert.match(form("markdown", { steps: [stack, unit("update", "psql1", before, fenced)] }), /^`````diff$/m);
  });

  test("a comment is never longer than GitHub takes: what does not fit is named", () => {
    const long = { text: before.text.replace("ETCD_NAME", `${"# a line of a long file\n".repeat(4000)}ETCD_NAME`) };
    const text = form("markdown", { steps: [stack, unit("update", "psql1", before, long)] });
    assert.ok(text.length < 65_536, String(text.length));
    assert.match(text, /\/etc\/default\/etcd<\/code>.*: 40\d\d lines, see `pulumi preview --diff`/);
  });

  test("input that is something else is refused", () => {
    assert.throws(() => parsePreview("Previewing update (dev)"), /not the output of `pulumi preview --json`/);
    assert.throws(() => parsePreview('{"result": 1}'), /no list of steps/);
  });
});

describe("a diff of lines", () => {
  const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

  test("shows three lines around a change, and where some are left out", () => {
    const old = numbers(1, 20);
    const now = old.map((line) => (line === "5" ? "five" : line === "15" ? "fifteen" : line));
    assert.deepEqual(lineDiff(old, now), [
      " 2",
      " 3",
      " 4",
      "-5",
      "+five",
      " 6",
      " 7",
      " 8",
      "@@",
      " 12",
      " 13",
      " 14",
      "-15",
      "+fifteen",
      " 16",
      " 17",
      " 18",
    ]);
  });

  test("of what is equal, nothing; of what is new or gone, all", () => {
    assert.deepEqual(lineDiff(numbers(1, 9), numbers(1, 9)), []);
    assert.deepEqual(lineDiff([], ["a", "b"]), ["+a", "+b"]);
    assert.deepEqual(lineDiff(["a", "b"], []), ["-a", "-b"]);
    assert.deepEqual(lineDiff(["a", "b", "a"], ["a", "a"]), [" a", "-b", " a"]);
  });
});
