//! Who is trusted with what, what is promised, what is not, and how to report a hole.
//!
//! # Who is trusted with what
//!
//! | who | trusted with | not trusted with |
//! |---|---|---|
//! | the caller | nothing. Every byte may be hostile: of the connection, the head, the token, the body | its address, other than the socket's own; `X-Forwarded-*`, unless it is one of `gateway.trusted_proxies` |
//! | the network between caller and gateway | nothing, where the listener speaks TLS | tokens and answers, where it does not: then that way must be private |
//! | an issuer | who its tokens' owners are, and what they may do; its keys; its word on opaque tokens | our time, memory and processor: its answers are bounded in bytes and seconds. Other issuers' tokens. Where we ask: it may move its endpoints, but not to a private address, nor from `https` to `http` |
//! | the network between gateway and issuer | nothing: TLS is verified and can't be switched off. `insecure_http` trusts it in words | |
//! | the upstream | admitted requests, with their bodies and identity headers; tokens, where `forward_authorization` says so | changing what was judged: it sees the very path. Its answers pass to the caller as they are, without what was for this hop |
//! | Redis, if it is shared | to be there, or not | tokens, claims, answers: it holds keyed names and sealed values, and whoever writes to it can forge nothing. It can forget; give an answer that `/forget` has dropped to a gateway that starts later, until that answer's end; replay a notice to no harm; and fill our memory |
//! | the operator | everything: configuration, files, environment, the admin listener, which has no credentials of its own and stays on loopback unless `expose` says otherwise | |
//! | the library's user (tower) | to hand the layer the request as it came, before anything has rewritten its path | |
//!
//! # What is promised
//!
//! 1. No request reaches an upstream unless its route is public, or its token was judged good by the policy in force at that moment.
//! 2. What was judged is what is forwarded, byte for byte, but for a prefix that the configuration cuts or puts in front.
//! 3. The identity that an upstream reads in our headers is the token's. No caller can set, change or remove it.
//! 4. A decision is never remembered. A stricter policy, a key that left the set, a revocation at this gateway and a passing `exp` act
//!    on the next request.
//! 5. What is unknown is refused: an issuer that can't be asked means 503, never 200.
//! 6. No token, no part of its signature, no secret and no key is written to a log, an answer, a page or Redis, at any level.
//! 7. A caller without a token can cost an issuer one fetch of its keys a cool-down, and this gateway ten times the bytes that it has sent (as
//!    IP packets), and over HTTP/1 ten times the processor's time that it has spent itself (and 15 times with a forged token that names no
//!    key, at an issuer with four keys for ES384, all of which are tried). Who asks ahead over HTTP/1 has its connection
//!    closed by the first refusal; who asks for more over HTTP/2 than it sends bytes for gets refusals of status, challenge and request id
//!    alone. An opaque token that nobody knows costs its issuer one question, of which a bounded number is open.
//!
//! A way to break one of these is a hole; please [report](#how-to-report) it.
//!
//! # What is not promised
//!
//! - Limits on rates, and on connections: whoever has a thousand machines can keep a gateway busy. Put a limiter in front.
//! - A bound on the processor's time over HTTP/2, where a request may be 13 bytes, and over TLS: a client that does nothing but send the same
//!   again costs 13 times its own time without a token, some 20 with one to verify, 30 with the worst. Handshakes are what they are.
//! - That a request is harmless: bodies are carried, not read. That an answer is: upstreams answer for themselves.
//! - That a stolen token is noticed. A bearer token is its bearer's; bind tokens to certificates, or keep their lives short.
//! - Secrecy against who can read this process's memory. Our own secrets and questions are wiped when they are dropped; what the HTTP
//!   libraries hold of a request in their buffers is not.
//!
//! # Known limits
//!
//! - **An ID token without marks.** One that has neither `nonce` (which old Keycloaks put into access tokens too: not looked at under `keycloak`) nor
//!   a hash nor a `typ` of its own, and whose `aud` is ours, looks like an access token under `profile: generic`, and under `entra`, `auth0`
//!   and `keycloak` if its `azp` names a client: any, with `clients: any`; the application itself, where its own id is among `audiences` and
//!   `clients`. It has no scopes, so it passes `scopes: none` alone. Give the API an audience of its own, and name the clients.
//! - **Revocation.** A signed token is taken until it expires, unless it is revoked at this gateway or `introspection.mode: always` asks its
//!   issuer; an introspected one until `exp` or the ceiling. See [`operating`](super::operating).
//! - **A revocation by `sub`, `client`, `sid` or `all`** misses a token that this gateway does not remember, if its `iat` is ahead of our clock.
//! - **An API that finds one thing under many names** is not guessed: Rails takes `/admin.json` for `/admin`, a form decoder `a+b` for
//!   `a b`, Windows `admin::$DATA` and `ADMIN~1` for `admin`; frameworks that override methods take `?_method=DELETE`, or the same in a
//!   body. Beside `/{x}` or `/{*rest}`, list those names as well, or ask for the same there.
//! - **`/docs/` beside `/docs`.** With `/{*rest}` and `/docs/{*rest}`, `/docs` is refused, and `/docs/` is the latter's: an API that takes
//!   them for one must ask no more for `/docs` than for what is below.
//! - **Names beyond ASCII** in a path are refused, unless the route says `non_ascii`. Provided for are then readers that take `é` for `e`,
//!   and that drop what they can't read from a name; not such that drop a whole name (`日本`) and a slash beside it, or that write other
//!   letters for those that Unicode does not take apart (`ƈ`, `д`).
//! - **A WebSocket** goes on until one side ends it: its token was judged when it began, and neither `exp` nor a revocation ends it.
//! - **`introspection.mode: always`** takes of the answer whether the token is active, and all else of the signed token.
//! - **Keys.** A key that is withdrawn, or replaced under its `kid`, is noticed when the set is fetched next. `keys.max_age` bounds that.
//! - **Certificates.** The gateway asks callers for none: tokens that are bound to one are refused there, and taken in the layer. DPoP
//!   (RFC 9449) is not spoken: tokens that are bound to a key are refused.
//! - **Fragments over HTTP/2.** The library drops a `#` and what follows before anybody can refuse it. It is neither judged nor forwarded.
//! - **Long answers that nobody reads** are kept up to 0.5 MB each, eight pieces of 64 KiB on their way through pingora, until 60 s have
//!   passed without progress: 128 streams of one connection hold 70 MB. `limits.http2_streams` bounds that.
//! - **A token in the path** is in the access log, as paths are. A query is in no log.
//! - **A secret in the configuration's text** is covered wherever it is shown, if its key's name looks like that of a secret. Keep secrets
//!   in files (`client_secret_file`), which are read into memory that is wiped.
//! - **A body that is shorter than its length says** has been sent on by the time that this shows; its upstream sees the connection end.
//!
//! # How it is proven
//!
//! - [Each attack](super::attacks) has a line with the room that answers it and the test that shows it, and a test that holds the page to that.
//! - Hostile requests and decisions are tables, run through HTTP/1, HTTP/2, the tower layer and the gate itself.
//! - Published vectors run whole: Wycheproof's, and the examples of RFC 7515 and RFC 7520, with each divergence beside its reason.
//! - Random paths are read as other servers read them, and may take no other route there.
//! - `unsafe` is forbidden; nothing on the way of a request may `unwrap`; overflow is checked in releases too.
//! - Each reader of untrusted bytes has a fuzz target (`tests/fuzz`), and so has the gateway as a whole; what they found is replayed by
//!   `tests/fuzz_corpus.rs`.
//! - Dependencies are pinned; licences, sources and bans are checked with `cargo deny` (`tests/run deny`).
//!
//! # Advisories of dependencies
//!
//! ```text
//! $ cargo install --locked cargo-deny
//! $ cargo deny --locked check advisories
//! ```
//!
//! fetches the RustSec database, and says which of the crates in `Cargo.lock` has one. It needs access to the database, so it is no part of
//! the tests; run it before a release, and once a week.
//!
//! # Supported versions
//!
//! The latest release; until there is one, the main branch. A fix is made there, with a test that failed before it.
//!
//! # How to report
//!
//! By a private report to the maintainers through the repository's security advisories; not in an issue. `SECURITY.md` says what helps.
