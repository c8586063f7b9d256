//! What an operator sees: health, outages, rotations and revocations, and what each of them means for callers.
//!
//! # Health
//!
//! The gateway's admin listener (`gateway.admin`, on loopback unless you say otherwise) answers
//!
//! - `/livez`: 200 as long as the process serves. It does not depend on any issuer: restarting a gateway heals no issuer.
//! - `/readyz`: 200 once every issuer's key set has been loaded, else 503 with the names of those that are missing. A key set
//!   that was loaded once stays in use, so an outage later on does not make a gateway unready.
//! - `/metrics`: Prometheus text.
//!
//! # When an issuer is in trouble
//!
//! | what happens | remembered tokens | new tokens, key known | new tokens, key unknown | opaque tokens, new |
//! |---|---|---|---|---|
//! | keys: slow, down, an error, garbage, an empty set | 200 | 200 | 401 `key_unknown`, after at most `keys.wait` | – |
//! | keys: the same, and none was ever loaded | – | 503 `keys_unavailable` | 503 `keys_unavailable` | – |
//! | keys: a key is withdrawn | 401 once the set is fetched | 401 | – | – |
//! | keys: a key is replaced under its `kid` | 200 until the set is fetched, then 401 | 401 `signature_invalid` until it is fetched | – | – |
//! | introspection: slow, down, 429, 5xx, garbage | 200 | – | – | 503 `introspection_unavailable` |
//!
//! - 503 carries `Retry-After`. It says: this gateway can't judge the token now; it may well be valid. It is never answered
//!   with 401, which would make clients throw good tokens away.
//! - Nothing waits longer than its bound: `keys.wait` (250 ms) for a key set, `introspection.timeout` (2 s) for an answer; and, where
//!   `introspection.grace` is set and all `max_in_flight` places are taken, as long for a place.
//! - Nothing fails open.
//! - It recovers by itself: a key set at the next token with an unknown key after the cool-down, or, if there was none ever,
//!   by retries with a growing pause (250 ms, 500 ms, … up to `keys.cool_down`); introspection at the first question after
//!   the pause of its circuit breaker (at once, if the issuer asks for a pause by `Retry-After`; else after five failures in a row, and another about a word of our own, so that nobody's tokens
//!   alone can open it; 1 s, 2 s, … up to 30 s, and no shorter than the issuer's own `Retry-After`).
//!
//! # When keys rotate
//!
//! A key set is fetched at start, and again when a token names a key that it lacks: one fetch at a time, and at most one per
//! `keys.cool_down` (30 s), whatever its outcome. So:
//!
//! - An issuer that publishes a key before it signs with it, as most do, costs nothing at all: the fetch happens at the first
//!   token of the new key, whose caller waits for it, and is served.
//! - Random key ids cost the issuer one fetch per cool-down, and everyone else nothing.
//! - **A key that the issuer withdraws stays trusted until the set is fetched for another reason.** To bound that time, set
//!   `keys.max_age` (10 minutes, say): the set is then fetched again in the background when it reaches that age. `tollgate check
//!   --strict` recommends it. A set without any key that can be used is a fault of the issuer's, like no answer: it withdraws nothing.
//!   Where an issuer's only key is in wrong hands, take the issuer out of the configuration until it has another. When a key has left the set, the tokens that it signed are refused from the next request on,
//!   remembered or not.
//!
//! # When a token is revoked
//!
//! | token | taken until |
//! |---|---|
//! | signed | it expires; or at once, if it is revoked at this gateway |
//! | signed, with `introspection.mode: always` | the issuer is asked again: at `exp` of its answer, or after `cache.max_lifetime`, or after `introspection.cache_without_exp` |
//! | opaque | the same; or at once, if it is forgotten at this gateway |
//!
//! These are the revocation windows. `cache.max_lifetime` makes them shorter, at the price of more questions. An issuer's
//! outage within the window does not lengthen it, unless `introspection.grace` says so: then an active answer serves for
//! that much longer while the issuer can't be asked, never past the token's `exp`; the upstream sees `X-Auth-Degraded:
//! introspection`.
//!
//! # Forgetting and revoking
//!
//! Through the library ([`Gate::forget`](crate::gate::Gate::forget), [`Gate::revoke`](crate::gate::Gate::revoke)), or at the admin
//! listener:
//!
//! ```text
//! curl -H 'Content-Type: application/json' -d '{"sub":"alice","issuer":"https://id.example.com/"}' http://127.0.0.1:9090/revoke
//! {"forgotten":2}
//! ```
//!
//! An order names exactly one of `token`, `jti`, `sub`, `client`, `sid`, or `"all": true`; and `issuer`, if only its tokens are meant.
//! `/forget` drops what is remembered: an opaque token is asked about anew, a signed one verified anew. `/revoke` does the same,
//! and refuses signed tokens that were issued by now (or by the latest `iat` of the same issuer's that it remembers, taken or not), until
//! they expire: at `"expires"` (seconds since the epoch) if the order says so, else after `cache.keep_revocations`. A single signed
//! token is told by its claims, byte by byte: an ECDSA signature can be written in two ways, so its text alone would not do. The list of
//! revocations is bounded (`cache.max_revocations`); when it is full, the order is refused with 507, and nothing is dropped from it.
//!
//! # Several gateways
//!
//! With the feature `redis` and a section `shared`, gateways share answers of introspection endpoints and what is forgotten and
//! revoked. Fingerprints alone leave the process, under keyed names; what is kept is encrypted and authenticated, so whoever can
//! write to Redis can forge nothing. An order given to one gateway reaches the others within a second. When Redis is down, each
//! gateway works on with its own memory and its issuers, says so in its log and in its metrics, and catches up when it is back.
//!
//! # What a refusal tells
//!
//! Each refusal has a stable code: in the problem document's `code`, in the access log, in the metric's label. Of a path, the log says what
//! is wrong with it, too: `reason="path_ambiguous" why="the path has a dot segment"`. The
//! [`Reason`](crate::policy::Reason) lists them all. Over HTTP/2, who asks many
//! times in few bytes gets refusals without their words once these would be more than ten times what was sent: status, challenge and
//! request id. Two are pingora's own, without a code or a line: over HTTP/2, a `CONNECT` (405), and a
//! request without a host, or with a `Host` that is not its `:authority` (400).
