// panva's certified `oidc-provider` on loopback, fitted to Tollgate's end-to-end tests.
//
//   node server.mjs FOLDER [PORT]
//
// FOLDER keeps what outlives the process (see store.mjs). PORT 0, the default, means any free one. Once it listens it prints one
// line, `issuer http://127.0.0.1:PORT`; it ends when its standard input does, so that no test can leave one behind.
//
// Beside the provider's own endpoints:
//   GET  /__counts     how often each path was asked since the start, as {"/jwks": 1, …}
//   POST /__rotate     new keys sign, the older ones stay published
//   POST /__withdraw   only the newest keys stay published
import http from 'node:http';
import { Provider } from 'oidc-provider';
import { ALGORITHMS, Store } from './store.mjs';

const [folder, port = '0'] = process.argv.slice(2);
const store = new Store(folder);
const counts = {};
let issuer;
let handle;

const SECRET = 'loopback-test-only';

// `caller` and `stranger` obtain tokens. The gateways introspect: `gateway` by secret, the others by a signed assertion (their keys
// are FOLDER/gateway-ALG.pem); `gateway signed` gets its answers as signed JWTs (RFC 9701), and its id and secret have characters
// that RFC 6749 2.3.1 wants encoded.
function clients() {
  const none = { redirect_uris: [], response_types: [], grant_types: [] };
  const caller = { ...none, grant_types: ['client_credentials'], client_secret: SECRET };
  return [
    { ...caller, client_id: 'caller' },
    { ...caller, client_id: 'stranger' },
    { ...none, client_id: 'gateway', client_secret: SECRET },
    { ...none, client_id: 'gateway signed', client_secret: 'p%ss: w+rd/=', introspection_signed_response_alg: 'ES256' },
    ...ALGORITHMS.map((alg) => ({
      ...none,
      client_id: `gateway-${alg}`,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: alg,
      jwks: { keys: [store.clientKeys[alg]] },
    })),
  ];
}

// What a token looks like is asked for in the resource indicator's query: https://api.test/orders?format=opaque&ttl=3 has the
// audience https://api.test/orders. `format`: jwt or opaque; `alg`: of a JWT; `ttl`: seconds.
function resourceServer(ctx, indicator) {
  const url = new URL(indicator);
  const wish = new URLSearchParams(url.search);
  url.search = '';
  const jwt = wish.get('format') !== 'opaque';
  return {
    audience: url.href,
    scope: 'orders:read orders:write',
    accessTokenTTL: Number(wish.get('ttl') ?? 600),
    accessTokenFormat: jwt ? 'jwt' : 'opaque',
    jwt: jwt ? { sign: { alg: wish.get('alg') ?? 'RS256' } } : undefined,
  };
}

// `oidc-provider` reads its keys once, so a rotation makes a new Provider over the same store.
function serveWithCurrentKeys() {
  const provider = new Provider(issuer, {
    adapter: store.adapter,
    clients: clients(),
    jwks: { keys: store.keys },
    cookies: { keys: [SECRET] },
    clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ALGORITHMS, introspectionSigningAlgValues: ALGORITHMS },
    ttl: { ClientCredentials: (ctx, token) => token.resourceServer.accessTokenTTL },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (ctx, client) => client.clientId.startsWith('gateway') },
      jwtIntrospection: { enabled: true },
      revocation: { enabled: true, allowedPolicy: (ctx, client, token) => client.clientId === token.clientId },
      resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer },
    },
  });
  handle = provider.callback();
}

const commands = {
  'GET /__counts': () => {},
  'POST /__rotate': () => store.rotate(),
  'POST /__withdraw': () => store.withdraw(),
};

const server = http.createServer((request, response) => {
  const path = request.url.split('?', 1)[0];
  const command = commands[`${request.method} ${path}`];
  if (command) {
    command();
    if (request.method === 'POST') serveWithCurrentKeys();
    response.setHeader('content-type', 'application/json').end(JSON.stringify(counts));
    return;
  }
  counts[path] = (counts[path] ?? 0) + 1;
  handle(request, response);
});

server.listen(Number(port), '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  serveWithCurrentKeys();
  console.log(`issuer ${issuer}`);
});
process.stdin.on('end', () => process.exit()).resume();
