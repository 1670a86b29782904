import { shell } from "../../../components/formats";
import { dataAddress, NodeSite } from "../support/node-site";
import type { Settings } from "../support/stack";

/** Everything that usually breaks quoting. */
export const databasePassword = "jhYg/=\\F \"x\" 'y' $(id) `id` $HOME #%@:;!~{}[]| пароль €";
export const redisPassword = "a/b\\c \"d\" 'e' $f `g` #h %20 @i:j ?k &l пароль";
export const secretKey = "s3cr\\et \"k\" 'e' $y `z` #! ключ ключ";

/** RuDesktop's nodes, their PostgreSQL and their Redis. */
export class Site extends NodeSite {
  constructor() {
    super("rudesktop", "test/lab/rudesktop", "");
  }

  protected override async setUp(): Promise<Settings> {
    const caCertificate = (await this.postgresCertificate()) || (await this.setUpData());
    return {
      "hastack:database": { host: dataAddress, port: 5432, database: "desk", user: "desk", caCertificate },
      "hastack:databasePassword": databasePassword,
      "hastack:redis": { host: dataAddress, port: 6379 },
      "hastack:redisPassword": redisPassword,
      "hastack:secretKey": secretKey,
    };
  }

  private async setUpData(): Promise<string> {
    await this.install("postgresql-15", "redis-server", "openssl");
    await this.on("data", "sed -i 's/^bind .*/bind 0.0.0.0/' /etc/redis/redis.conf && systemctl restart redis-server");
    await this.on("data", `redis-cli config set requirepass ${shell(redisPassword)}`);
    return this.setUpPostgres({ name: "desk", user: "desk", password: databasePassword });
  }

  /** What each node has measured, when it was applied last. */
  async connectivity(): Promise<string[]> {
    return (await this.outputs()).connectivity as string[];
  }
}
