import { dataAddress, NodeSite } from "../support/node-site";
import type { Settings } from "../support/stack";

export { dataAddress };

/** Everything that usually breaks quoting. */
export const password = "jhYg/=\\F \"x\" 'y' $(id) `id` $HOME #%@:;!~{}[]| пароль €\\";
export const database = 'work\'s; pad="1"';
export const user = "отдел 'A'";

/** WorksPad's nodes and their PostgreSQL. */
export class Site extends NodeSite {
  constructor() {
    super("workspad", "test/lab/workspad-node", ":4430");
  }

  protected override async setUp(): Promise<Settings> {
    const caCertificate = (await this.postgresCertificate()) || (await this.setUpData());
    return {
      "hastack:version": "1.0",
      "hastack:database": { host: dataAddress, port: 5432, database, user, caCertificate },
      "hastack:databasePassword": password,
    };
  }

  private async setUpData(): Promise<string> {
    await this.install("postgresql-15", "openssl", "python3");
    return this.setUpPostgres({ name: database, user, password });
  }

  override async outputs(): Promise<{ authority: string; privateKey: string; outside: string[] }> {
    return (await super.outputs()) as Awaited<ReturnType<Site["outputs"]>>;
  }

  /** A session that was made on a node, as a cookie. */
  override async logIn(node: string): Promise<string> {
    return `WorksPad.Session=${await super.logIn(node)}`;
  }
}
