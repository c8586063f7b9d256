//! Each default, with its unit and its reason.
//!
//! | what | default | range | reason |
//! |---|---|---|---|
//! | longest token | 16 KiB | fixed | real access tokens stay below 8 KiB; more is work for nothing |
//! | longest request target | 8 KiB | fixed | the usual bound of servers |
//! | longest `kid` | 256 bytes | fixed | thumbprints have 43 |
//! | `leeway` | 30 s | 0 to 300 s | between the peers' 0 and 300; clocks that differ by more are broken. It never lengthens a cache entry |
//! | `algorithms` | by [profile](crate::policy::Profile) | – | never `none`, never HMAC |
//! | `client_claims` | by [profile](crate::policy::Profile) | – | where the issuer in question names the client |
//! | `keys.discovery` | `auto` | – | OpenID Connect's well-known URL, then RFC 8414's |
//! | `keys.cool_down` | 30 s | 1 s to 1 h | an issuer should not notice a flood of unknown key ids; a rotation without overlap should not hurt for long |
//! | `keys.wait` | 250 ms | 0 to 5 s | most fetches take less; no caller should wait longer for somebody else's rotation |
//! | `keys.timeout` | 5 s | 100 ms to 30 s | a slow issuer is better than none: nobody waits for it |
//! | `keys.max_age` | none | at least `cool_down` | the documents ask to keep keys until an unknown one is named; see [`operating`](super::operating) for the price |
//! | key set | 256 KiB, 64 keys | fixed | real sets have 2 to 10 keys |
//! | keys tried for one token | 4 | fixed | enough for tokens without `kid`; bounds the work of a forged one |
//! | RSA keys | 2048 to 8192 bits, exponent from 65537 | fixed | RFC 7518 section 3.3; larger ones cost too much to verify with |
//! | `introspection.timeout` | 2 s | – | callers wait for it |
//! | `introspection.max_in_flight` | 64 | – | a hanging issuer holds up so many callers, and no more |
//! | `introspection.min_token_length` | 16 | – | shorter tokens can be guessed, so no issuer makes them |
//! | `introspection.cache_without_exp` | 60 s | – | an answer without `exp` must not be believed for long |
//! | `introspection.remember_inactive` | 10 s | – | a client that retries a dead token should not reach the issuer each time |
//! | `introspection.grace` | 0 s | – | an outage should not lengthen the revocation window unasked |
//! | `cache.size` | 64 MiB | – | some 30,000 tokens |
//! | `cache.max_lifetime` | none: until `exp` | – | the documents ask to remember a validation until `exp` |
//! | revocations | 100,000, kept for 24 h where `exp` is not known | – | a list that drops entries takes revoked tokens back, so it is bounded by refusing new ones |
//! | unmatched requests | 404 | fixed | no route, no way in |
//! | `cors_preflight` | `deny` | `deny`, `forward` | a preflight that reaches an API unasked is a request without a token |
//! | `forward_authorization` | off | – | an API that needs the identity gets it in headers; a token that stops at the gate can't leak behind it |
//! | identity headers | `X-Auth-Request-User`, `-Client-Id`, `-Scopes`, `-Issuer` | – | a wide-spread convention |
//!
//! # Shared between gateways
//!
//! | what | default | reason |
//! |---|---|---|
//! | `shared` | none | one more thing that can fail |
//! | `shared.timeout` | 100 ms | some hundred times what an answer takes; after it, the issuer is asked |
//! | `shared.start_wait` | 5 s | a gateway that starts should know what is revoked, but start it must |
