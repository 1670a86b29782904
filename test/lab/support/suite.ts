import { after, before, type TestContext, test } from "node:test";
import type { TestCluster } from "./test-cluster";

type Body = (t: TestContext) => Promise<void> | void;

const minutes = 60_000;

/** What the tests of a suite share. */
interface Shared {
  start(): Promise<void>;
  stop(): void;
}

/**
 * Tests that share one cluster and run in order: each finds what the ones before have left. When a promise is broken
 * without which nothing else can hold, the rest is skipped.
 */
export class Suite<Cluster extends Shared = TestCluster> {
  private hopeless: string | undefined;

  /** @param limit minutes that one test may take */
  constructor(
    readonly cluster: Cluster,
    private readonly limit: number,
  ) {
    before(() => this.cluster.start(), { timeout: 20 * minutes });
    after(() => this.cluster.stop());
  }

  /** A test, named after what a user relies on. */
  readonly promise = (name: string, body: Body): void => {
    test(name, { timeout: this.limit * minutes }, (t) => {
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
