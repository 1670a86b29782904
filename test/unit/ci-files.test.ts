import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { commandLine } from "../../components/cli/command";
import { commands } from "../../components/cli/commands";

const repository = resolve(__dirname, "../..");
const folder = join(repository, "examples/ci");
const text = (file: string) => readFileSync(join(folder, file), "utf8");
const github = readdirSync(join(folder, "github")).map((file) => `github/${file}`);
const gitlab = "gitlab/.gitlab-ci.yml";

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

interface Workflow {
  on: unknown;
  permissions: Record<string, string>;
  jobs: Record<string, { if?: string; "runs-on": string; permissions?: object; steps: Step[] }>;
}

interface GitlabJob {
  rules?: { if: string }[];
  script?: string[];
  before_script?: string[];
  resource_group?: string;
  interruptible?: boolean;
}

const workflow = (file: string) => parse(text(file)) as Workflow;
const jobsOf = (file: string) => Object.entries(workflow(file).jobs);
const gitlabJobs = () =>
  Object.entries(parse(text(gitlab)) as Record<string, GitlabJob>).filter(([, job]) => job.script !== undefined);

/** Every script of every job, as one text of shell each. */
function scripts(): [where: string, script: string][] {
  return [
    ...github.flatMap((file) =>
      jobsOf(file).flatMap(([job, { steps }]) =>
        steps.flatMap(({ run }): [string, string][] => (run === undefined ? [] : [[`${file} ${job}`, run]])),
      ),
    ),
    ...gitlabJobs().map(([job, { script = [] }]): [string, string] => [`${gitlab} ${job}`, script.join("\n")]),
  ];
}

describe("CI files", () => {
  test("there is one for each of preview, up and drift", () => {
    assert.deepEqual(github.sort(), ["github/drift.yml", "github/preview.yml", "github/up.yml"]);
    assert.deepEqual(
      gitlabJobs()
        .map(([job]) => job)
        .sort(),
      ["drift", "fork", "preview", "up"],
    );
  });

  test("their scripts are sound shell", () => {
    for (const [where, script] of scripts()) {
      const { status, stdout, stderr } = spawnSync("shellcheck", ["--shell=bash", "-"], {
        input: script,
        encoding: "utf8",
      });
      assert.equal(status, 0, `${where}: ${stdout}${stderr}`);
    }
  });

  test("they call commands and options of `hastack` that there are", () => {
    const calls = scripts().flatMap(([where, script]) =>
      [...script.matchAll(/npx hastack ([^\n;&|>]*)/g)].map(([, call = ""]) => ({
        where,
        words: call.trim().split(/ +/),
      })),
    );
    assert.ok(calls.length >= 7, String(calls.length));
    for (const { where, words } of calls) {
      assert.doesNotThrow(() => commandLine(words, commands), `${where}: hastack ${words.join(" ")}`);
    }
  });

  test("nothing that a pull request says gets into a script's text", () => {
    for (const [where, script] of scripts()) assert.doesNotMatch(script, /\$\{\{/, where);
    for (const file of github) assert.doesNotMatch(text(file), /pull_request_target/, file);
  });

  test("a job may do no more than it must, and leaves no credentials behind", () => {
    for (const file of github) {
      assert.deepEqual(workflow(file).permissions, { contents: "read" }, file);
      for (const [job, { steps }] of jobsOf(file)) {
        for (const { uses, with: options } of steps) {
          if (uses === undefined) continue;
          assert.match(uses, /@v\d+$/, `${file} ${job}`);
          if (uses.startsWith("actions/checkout"))
            assert.equal(options?.["persist-credentials"], false, `${file} ${job}`);
        }
      }
    }
  });

  test("a stranger's pull request gets no secret, no host of ours, and no write access", () => {
    const { jobs } = workflow("github/preview.yml");
    const { fork, preview } = jobs;
    assert.ok(fork && preview);
    assert.match(preview.if ?? "", /head\.repo\.full_name == github\.repository/);
    assert.match(fork.if ?? "", /head\.repo\.full_name != github\.repository/);
    assert.doesNotMatch(JSON.stringify(fork), /secrets\.|github\.token/);
    assert.notEqual(fork["runs-on"], "self-hosted");
    assert.equal(fork.permissions, undefined);
    const ofGitlab = Object.fromEntries(gitlabJobs());
    assert.match(ofGitlab.fork?.rules?.[0]?.if ?? "", /SOURCE_PROJECT_PATH != \$CI_PROJECT_PATH/);
    assert.match(ofGitlab.preview?.rules?.[0]?.if ?? "", /SOURCE_PROJECT_PATH == \$CI_PROJECT_PATH/);
    for (const script of [JSON.stringify(fork), JSON.stringify(ofGitlab.fork)]) {
      assert.match(script, /hastack:probe=off/);
      assert.doesNotMatch(script, /HASTACK_(PROBE|SSH)_KEY|TOKEN/);
    }
  });

  test("only `up` has the key that may change something, and one runs at a time", () => {
    for (const [where, script] of scripts()) {
      if (!/ up$/.test(where) && where !== "github/up.yml up") assert.doesNotMatch(script, /pulumi up|ssh-add/, where);
    }
    const { concurrency } = workflow("github/up.yml") as unknown as { concurrency: { "cancel-in-progress": boolean } };
    assert.equal(concurrency["cancel-in-progress"], false);
    const up = Object.fromEntries(gitlabJobs()).up;
    assert.deepEqual([up?.resource_group, up?.interruptible], ["production", false]);
  });

  test("a drift run asks all hosts, and its exit code stays that of the preview", () => {
    const runs = scripts().filter(([where, script]) => where.includes("drift") && script.includes("pulumi preview"));
    assert.equal(runs.length, 2);
    for (const [where, script] of runs) {
      assert.match(script, /--expect-no-changes .*--config hastack:probe=required .*\|\| code=\$\?/, where);
      assert.match(script, /7\)[\s\S]*npx hastack review/, where);
      assert.match(script, /exit "\$code"\s*$/, where);
    }
  });

  test("they name no machine of ours", () => {
    for (const file of [...github, gitlab]) {
      assert.doesNotMatch(text(file), /registry|npmjs|ghcr\.|docker\.io|\/home\/|\/root\/|https?:/, file);
    }
  });
});
