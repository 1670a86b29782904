import { after, before, type TestContext, test } from "node:test";
import { ChangingCluster } from "./cluster";

type Body = (t: TestContext) => Promise<void> | void;

const minutes = 60_000;

/** Tests that share one cluster which changes; they run in order, each on what the ones before have left. */
export class ChangesSuite {
  readonly cluster = new ChangingCluster();
  private hopeless: string | undefined;

  constructor() {
    before(() => this.cluster.start(), { timeout: 20 * minutes });
    after(() => this.cluster.stop());
  }

  /** A test, named after what a user relies on. */
  readonly promise = (name: string, body: Body): void => {
    test(name, { timeout: 10 * minutes }, (t) => {
      if (this.hopeless) return t.skip(`not tried after: ${this.hopeless}`);
      return body(t);
    });
  };

  /** One without which nothing after it can hold. */
  readonly foundation = (name: string, body: Body): void => {
    this.promise(name, async (t) => {
      this.hopeless = name;
      await body(t);
      this.hopeless = undefined;
    });
  };
}
