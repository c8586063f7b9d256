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
//! | `cache.size` | 64 MiB | – | some 80,000 tokens |
//! | `cache.max_lifetime` | none: until `exp` | – | the documents ask to remember a validation until `exp` |
//! | revocations | 100,000, kept for 24 h where `exp` is not known | – | a list that drops entries takes revoked tokens back, so it is bounded by refusing new ones |
//! | unmatched requests | 404 | fixed | no route, no way in |
//! | `encoded_slashes`, `non_ascii` | off | – | servers disagree on what `%2F` is, and on what `%C3%A9` resembles |
//! | `cors_preflight` | `deny` | `deny`, `forward` | a preflight that reaches an API unasked is a request without a token |
//! | `forward_authorization` | off | – | an API that needs the identity gets it in headers; a token that stops at the gate can't leak behind it |
//! | identity headers | `X-Auth-Request-User`, `-Client-Id`, `-Scopes`, `-Issuer` | – | a wide-spread convention |
//! | an identity header's value | 8,128 bytes at most, percent-encoded; longer: 431 | – | most servers take lines of 8 KiB; without a part of it, it would be another's |
//!
//! # The gateway's
//!
//! | what | default | range | reason |
//! |---|---|---|---|
//! | `gateway.listen` | 127.0.0.1:8080, with HTTP/2 by prior knowledge | – | reachable from this machine only, until the configuration says otherwise |
//! | `gateway.limits.header_timeout` | 10 s | 1 s to 5 min | for a whole head, TLS handshake or HTTP/2 header block: who drips it holds a connection no longer |
//! | `gateway.limits.max_headers` | 100 lines | 1 to 256 | browsers send 20, chains of proxies 40 |
//! | `gateway.limits.max_header_bytes` | 32 KiB | 1 KiB to 1 MiB | a token of 16 KiB, and as much beside it |
//! | `gateway.limits.max_body` | 10 MiB | – | an upload route says more in words |
//! | `gateway.limits.http2_streams` | 128 | 1 to 10,000 | above the 100 that RFC 9113 recommends at least |
//! | HTTP/2 resets | 20 pending, 256 caused by errors, per connection | fixed | rapid reset and its kin end the connection |
//! | idle connections | 60 s to 120 s; HTTP/2 60 s; a new one `header_timeout` | fixed | one timer serves all requests of a connection, so that none is set for each |
//! | a caller's pause in its body, or in taking its answer | 60 s | fixed | as most servers have it |
//! | the body of a refused request | 64 KiB or 1 s are read, then the connection ends | fixed | the answer arrives, and no body is taken for a request |
//! | `gateway.shutdown_grace` | 10 s | 0 to 1 h | an ordinary request ends in it |
//! | HTTP/1.0 | served, with a `Host`; the connection ends behind the answer, which is never chunked; 505 where the upstream speaks HTTP/2, whose answers would be | fixed | old load balancers and probes speak it |
//! | request targets | origin-form only; absolute-form, and an empty line before a request, are 400, though RFC 9112 sections 3.2.2 and 2.2 would have them taken | fixed | no client of an API sends them; two places for a host are one too many |
//! | `Via`, `Max-Forwards` | neither added nor counted, though RFC 9110 section 7.6 would have it | fixed | an upstream learns the way from `X-Forwarded-*` |
//! | chunks | sizes of 1 to 15 digits, extensions of up to 256 bytes, 8 KiB of trailers, all dropped; lines end with CRLF | fixed | what else some readers take, others read otherwise |
//! | pipelined requests | served one after the other; behind one with `Upgrade` and no chunks, the connection ends | fixed | the next request is not read before this one has ended |
//! | `Upgrade` | WebSocket, from HTTP/1.1 to HTTP/1.1, where the route has `upgrade: true`; otherwise ignored (RFC 9110 section 7.8) | – | another protocol is out of the gate's sight |
//! | `Expect: 100-continue` | answered here once the request is admitted (not over HTTP/2, whose library sends no 100); the upstream sees none | fixed | an upstream that answers at once, and has not read what follows, could take that for another request |
//! | tries | 4: other addresses if none took the connection; the same request only if its method is idempotent and a kept connection had died | fixed | what may have been carried out is sent again only where that makes no difference (RFC 9110 section 9.2.2) |
//! | all addresses unwell | they are tried all the same | fixed | a broken health page must not take down what works |
//! | names of upstreams | resolved at start, and again every 30 s; a failure keeps the addresses | fixed | the operating system does not tell how long an answer is good |
//! | `upstreams.*.timeouts` | connect 2 s; read, write, idle 60 s | 1 ms to 1 d | a lost SYN is tried again after 1 s; the rest as most proxies have it |
//! | `upstreams.*.keepalive` | 128; all upstreams share the sum | 0 to 65,536 | a pool smaller than the number of callers costs twice the work |
//!
//! # Shared between gateways
//!
//! | what | default | reason |
//! |---|---|---|
//! | `shared` | none | one more thing that can fail |
//! | `shared.timeout` | 100 ms | some hundred times what an answer takes; after it, the issuer is asked |
//! | `shared.start_wait` | 5 s | a gateway that starts should know what is revoked, but start it must |
