/** The stand-in for `@pulumi/tls`. getCertificate is left out: it is for asking servers on the network. */
import { main } from "../shared/main";
import { certRequest, locallySignedCert, selfSignedCert } from "./certificates";
import { getPublicKey, privateKey } from "./private-key";

main({
  name: "tls",
  resources: {
    "tls:index/privateKey:PrivateKey": privateKey,
    "tls:index/certRequest:CertRequest": certRequest,
    "tls:index/selfSignedCert:SelfSignedCert": selfSignedCert,
    "tls:index/locallySignedCert:LocallySignedCert": locallySignedCert,
  },
  functions: { "tls:index/getPublicKey:getPublicKey": getPublicKey },
});
