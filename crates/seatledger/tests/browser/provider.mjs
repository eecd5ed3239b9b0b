// A provider of OpenID Connect on this machine, over TLS by an authority of its own, that changes its keys, goes and comes back.
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { Provider } from "oidc-provider";

// Who logs in there with any password, and what the provider knows of them.
const PEOPLE = {
  amara: { realm_access: { roles: ["it", "staff"] } },
  viktor: { realm_access: { roles: ["staff"] } },
  sanna: { realm_access: { roles: ["lab"] } },
  noor: { realm_access: { roles: ["guests"] } },
  emil: {},
};

/// Keys of a kind, as the provider keeps them.
const keys = (kid, alg, kind, options) => [{ ...generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" }), kid, alg, use: "sig" }];

function certificate(place) {
  const at = (name) => join(place, name);
  const openssl = (...rest) => execFileSync("openssl", rest, { stdio: ["ignore", "ignore", "ignore"] });
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", at("ca.key"), "-out", at("ca.pem"), "-days", "2", "-subj", "/CN=Test authority");
  openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", at("tls.key"), "-out", at("tls.csr"), "-subj", "/CN=localhost");
  writeFileSync(at("tls.ext"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n");
  openssl("x509", "-req", "-in", at("tls.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-out", at("tls.pem"), "-days", "2",
    "-extfile", at("tls.ext"));
  return { key: readFileSync(at("tls.key")), cert: readFileSync(at("tls.pem")) };
}

export async function start(place, secret, back) {
  let answer = null;
  const server = createServer(certificate(place), (request, response) => answer(request, response));
  const listen = (port) => new Promise((done) => server.listen(port, "127.0.0.1", done));
  await listen(0);
  const port = server.address().port;
  // Another site than the service's, as browsers see it.
  const issuer = `https://localhost:${port}`;
  const asked = [];
  // thin: what a provider knows of somebody is not in the token, but told on request.
  const become = (jwks, alg, thin) => {
    const provider = new Provider(issuer, {
      clients: [{ client_id: "seatledger", client_secret: secret, redirect_uris: [back], id_token_signed_response_alg: alg }],
      claims: { openid: ["sub"], profile: ["preferred_username", "realm_access"] },
      conformIdTokenClaims: thin,
      cookies: { keys: ["a test's own"] },
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id, ...PEOPLE[id] }) }),
      jwks: { keys: jwks },
      renderError: (context, out) => { context.type = "text"; context.body = JSON.stringify(out); },
      pkce: { required: () => true },
    });
    const handle = provider.callback();
    answer = (request, response) => { asked.push(request.url); handle(request, response); };
  };
  become(keys("first", "RS256", "rsa", { modulusLength: 2048 }), "RS256", true);
  return {
    issuer,
    asked,
    changeKeys: () => become(keys("second", "ES256", "ec", { namedCurve: "P-256" }), "ES256", false),
    go: () => new Promise((done) => { server.close(done); server.closeAllConnections(); }),
    comeBack: () => listen(port),
  };
}
