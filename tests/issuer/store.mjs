// What outlives the process: signing keys, the clients' keys, and issued opaque tokens. All of it lies in one folder, so that an
// issuer which was killed and started again is the same issuer.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const KINDS = {
  RS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519', {}],
};
export const ALGORITHMS = Object.keys(KINDS);

export class Store {
  #file;
  #state;

  constructor(folder) {
    this.#file = path.join(folder, 'state.json');
    if (fs.existsSync(this.#file)) {
      this.#state = JSON.parse(fs.readFileSync(this.#file));
      return;
    }
    this.#state = { generations: [], clientKeys: {}, models: {} };
    for (const alg of ALGORITHMS) {
      const kid = `gateway-${alg}`;
      const { privateKey, jwk } = generate(alg, kid);
      fs.writeFileSync(path.join(folder, `${kid}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
      this.#state.clientKeys[alg] = publicPart(jwk);
    }
    this.rotate();
  }

  // Private JWKs, newest first: the provider signs with the first that fits and publishes them all.
  get keys() {
    return this.#state.generations.flat();
  }

  // Public JWKs by which a client that authenticates by `private_key_jwt` is known.
  get clientKeys() {
    return this.#state.clientKeys;
  }

  // A new key per algorithm signs from here on; the older ones stay published.
  rotate() {
    this.#state.generations.unshift(ALGORITHMS.map((alg) => generate(alg, crypto.randomUUID()).jwk));
    this.#save();
  }

  // Only the newest keys stay published.
  withdraw() {
    this.#state.generations.length = 1;
    this.#save();
  }

  // The storage interface that `oidc-provider` asks for, as far as client credentials need it.
  adapter = (model) => {
    const table = (this.#state.models[model] ??= {});
    return {
      upsert: async (id, payload) => {
        table[id] = payload;
        this.#save();
      },
      find: async (id) => table[id],
      destroy: async (id) => {
        delete table[id];
        this.#save();
      },
    };
  };

  // Written aside and renamed: the process may be killed at any instant.
  #save() {
    fs.writeFileSync(`${this.#file}.new`, JSON.stringify(this.#state), { mode: 0o600 });
    fs.renameSync(`${this.#file}.new`, this.#file);
  }
}

function generate(alg, kid) {
  const { privateKey } = crypto.generateKeyPairSync(...KINDS[alg]);
  return { privateKey, jwk: { ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
}

function publicPart({ d, p, q, dp, dq, qi, ...jwk }) {
  return jwk;
}
