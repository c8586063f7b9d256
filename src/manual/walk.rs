//! A request's life.
//!
//! Whatever door a request comes in by, it is made a [`RequestHead`](crate::policy::RequestHead), walks through one hall,
//! and leaves as a [`Decision`](crate::policy::Decision). This page follows it. Each step is one function from one type to the
//! next; each type has private fields and one constructor, so a step can't be left out.
//!
//! ```text
//!  door                                 hall (gate::Gate)                                     door
//! ┌───────┐ RequestHead ┌──────────────────────────────────────────────────────┐ Decision ┌─────────┐
//! │ tower │────────────▶│ path ▸ route ▸ credential ▸ facts ▸ rules ▸ binding  │─────────▶│ forward │
//! │pingora│             │                              │         ▸ requirement │          │or answer│
//! └───────┘             └──────────────────────────────┼───────────────────────┘          └─────────┘
//!                                                      ▼ only if memory does not know
//!                                              Errand: fetch keys, or ask the issuer
//! ```
//!
//! # 1. The path
//!
//! [`CanonicalPath::parse`](crate::policy::CanonicalPath::parse) reads the request target as it will be forwarded, byte for
//! byte. It refuses what two readers could take for two different things: dot segments, double slashes, backslashes,
//! semicolons, escapes of separators, second spellings. It rewrites nothing. Refusal: 400.
//!
//! # 2. The route
//!
//! [`RouteTable::find`](crate::policy::RouteTable::find) takes the most specific route for host, path and method, whatever the
//! order in the file. A path that would take another route if case, dots at the end of a name, or a slash at its own end were
//! ignored is refused (of the slash: unless a route is for exactly this path, or for all below it, as `/docs/{*rest}` is for `/docs/` beside
//! `/{*rest}`), and so are `%2F` and characters beyond ASCII, unless the route allows them: then whoever takes `%2F` for a slash, or `é`
//! for `e`, must find the same route. No route: 404. Routes for other methods alone, or a method in small letters: 405 with `Allow`. A
//! public route ends the walk here: no token is looked at, and none is believed.
//!
//! A CORS preflight carries no token by design. Where its route says `cors_preflight: forward`, it ends the walk here as
//! well, without identity; elsewhere it is answered like any request without a token, which a public route lets through.
//!
//! # 3. The credential
//!
//! [`Credential::from_headers`](crate::token::Credential::from_headers) finds exactly one `Authorization` field with exactly one
//! bearer token. None, or a scheme that carries no access token: 401 with a bare challenge. Two fields, or a malformed one:
//! 400 `invalid_request`. Nothing else in a request is ever a credential: no query, no form, no cookie, no other header.
//!
//! # 4. The facts
//!
//! The token's [`Fingerprint`](crate::token::Fingerprint), SHA-256 of its text, is looked up in memory. What is remembered are
//! *facts* ([`Verified`](crate::proof::Verified)): what the token says, and who vouches for it. Facts do not change; what
//! follows from them may, so no decision is ever remembered. Facts count only until the token's `exp`, and only while the key
//! that signed them is in its issuer's key set.
//!
//! If they are not remembered, [`Shape::of`](crate::token::Shape::of) tells what kind of token it is.
//!
//! - **A signed token** (JWS): [`UnverifiedJws::parse`](crate::token::UnverifiedJws::parse) takes it apart. Its `iss` is
//!   looked at, and nothing else of its claims, to find a *configured* issuer; its `alg` must be one that this issuer may use.
//!   [`KeySet::select`](crate::proof::KeySet::select) finds the keys that may have signed it, at most four, and
//!   [`verify`](crate::proof::verify) makes its claims facts. If the key set lacks the key, an errand fetches the set anew,
//!   unless that was done within the cool-down.
//! - **An opaque token**: the issuer whose prefix it has, or else the route's only one without prefixes, is asked about it: an errand.
//!   A signed token is never sent there instead; only where the issuer's configuration says `mode: always` is it asked
//!   about *as well*.
//! - **An encrypted token** (JWE) is refused.
//!
//! An [`Errand`](crate::gate::Errand) is the only thing that the hall waits for, and only within a bound. Whatever it fetches
//! is fetched in a task of its own: one at a time, for everyone who waits, and not cancelled by who leaves. If our errand
//! fails, that is not the caller's fault: 503 with `Retry-After`, never 401, and never an open gate.
//!
//! # 5. The issuer's rules
//!
//! [`IssuerRules::admit`](crate::policy::IssuerRules::admit) judges the facts at this instant, under the policy in force:
//! issuer, algorithm, kind of token, `exp`, `nbf`, `iat`, mandatory claims, audience, client, lifetime. The result is a
//! [`Principal`](crate::policy::Principal). Refusal: 401 `invalid_token`. A revoked token is refused here, too.
//!
//! # 6. The binding
//!
//! A token with `cnf` is bound to a key. Shown as a plain bearer token it is refused, unless the door saw the very
//! certificate that it is bound to: 401 `invalid_token`.
//!
//! # 7. The requirement
//!
//! What the route asks: scopes by method, conditions on claims. Missing scopes: 403 `insufficient_scope`, with all the scopes
//! that would be enough. A claim that does not fit: 403. If all is met, the result is a
//! [`Permit`](crate::policy::Permit), without which a door can't forward anything.
//!
//! # 8. The answer
//!
//! A refusal becomes status, challenge and problem document, or a gRPC status ([`Answer`](crate::policy::Answer)). A permit
//! becomes header fields: the caller's own copies of every field that we may set are taken out, in any spelling, the token
//! is taken off, and the identity is put in ([`IdentityHeaders`](crate::policy::IdentityHeaders)).
