import assert from "node:assert/strict";
import { complaints } from "../site/clients";
import { eventually } from "../support/process";
import { changesIn } from "../support/stack";
import { balancers, node4, nodes, type SiteSuite } from "./site";

/** "If load grows, we just bring up node4 and add a line": the article's claim, under load. */
export function growth({ promise, cluster: site }: SiteSuite): void {
  const { stack } = site;
  const running = async () => [
    await site.invocations("nginx", balancers),
    await site.invocations("workspad-gateway", nodes),
  ];
  const preview = () => stack.unchanged();

  promise(
    "node4 is one more line: it is added under load, and serves; no request fails, nothing restarts",
    async () => {
      const before = await running();
      const begun = new Date();
      stack.configure({ "hastack:hosts": { node4 } });
      const { answers } = await site.during("node4 added", async () => {
        const changed = changesIn(await site.up()).map(({ op, name }) => `${op} ${name}`);
        const others = changed.filter((change) => !/^create .*node4/.test(change));
        assert.deepEqual(others, ["update front-nginx1", "update front-nginx2"]);
        await eventually("node4 answers requests", 30, async () =>
          (await site.answeredBy(node4.address, begun)) > 0 ? true : undefined,
        );
      });
      assert.deepEqual(complaints(answers.reads, answers.logins), []);
      assert.deepEqual(await running(), before);
      await preview();
    },
  );

  promise("without the line it is removed again under load, and no request fails", async () => {
    const before = await running();
    stack.configure({ "hastack:hosts": { node4: undefined } });
    const { answers } = await site.during("node4 removed", async () => {
      const changed = changesIn(await site.up()).map(({ op, name }) => `${op} ${name}`);
      const others = changed.filter((change) => !/^delete .*node4/.test(change));
      assert.deepEqual(others, ["update front-nginx1", "update front-nginx2"]);
      assert.equal(await site.sh("node4", "systemctl is-active workspad-gateway || true"), "inactive");
    });
    assert.deepEqual(complaints(answers.reads, answers.logins), []);
    assert.deepEqual(await running(), before);
    await preview();
  });
}
