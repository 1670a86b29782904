/** The stand-in for `@pulumi/random`. RandomPet is left out: nothing here needs its word lists. */
import { main } from "../shared/main";
import { randomInteger, randomShuffle } from "./choices";
import { randomBytesResource, randomId, randomUuid, randomUuid7 } from "./identifiers";
import { randomPassword, randomString } from "./string";

main({
  name: "random",
  resources: {
    "random:index/randomPassword:RandomPassword": randomPassword,
    "random:index/randomString:RandomString": randomString,
    "random:index/randomId:RandomId": randomId,
    "random:index/randomBytes:RandomBytes": randomBytesResource,
    "random:index/randomInteger:RandomInteger": randomInteger,
    "random:index/randomShuffle:RandomShuffle": randomShuffle,
    "random:index/randomUuid:RandomUuid": randomUuid,
    "random:index/randomUuid4:RandomUuid4": randomUuid,
    "random:index/randomUuid7:RandomUuid7": randomUuid7,
  },
  functions: {},
});
