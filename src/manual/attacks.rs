//! Each attack, the room that answers it, and the test that shows it.
//!
//! Most of these are incidents of gateways and libraries that many people trust; the rest are the attack classes of the
//! standards (RFC 6750 section 5, RFC 8725, RFC 9700). Tests are named by their file below `tests/`, or by the module whose
//! own tests show it; `attacks` are the tables `tests/attacks/*.yaml`, sent byte for byte over HTTP/1 and HTTP/2 and put to
//! the gate itself, and `decisions` are the tables `tests/decisions/*.yaml`, run through the core and every door.
//!
//! What nobody has thought of is looked for by fuzzing: `tests/fuzz` has a target for each reader of untrusted bytes (the
//! `Authorization` field, tokens, claims, key sets, introspection answers, paths, the configuration) and one for the gateway as a
//! whole. Each holds what was accepted against a second reading of the RFC, and `fuzz_corpus` replays what it has found.
//!
//! # Facts and judgements
//!
//! | | attack | answered by | shown by |
//! |---|---|---|---|
//! | R-01 | a remembered token skips audience, issuer or scope (CVE-2021-32701) | `gate::hall`: facts are remembered, never decisions | `gate/remembered`: `the_same_token_on_two_routes_is_judged_for_each`, `a_reload_that_tightens_a_rule_acts_on_the_next_request` |
//! | R-02 | what one issuer said of a token counts for another (CVE-2026-33496, CVE-2026-35039) | `token::fingerprint`: SHA-256 of the whole token, and of the issuer for opaque ones | `token::fingerprint` |
//! | R-11 | a shared question hands one caller another's answer (CVE-2026-71326) | `gate::desk`: questions are keyed as the memory is | `gate/opaque`: `a_thousand_requests_with_one_token_ask_once`, `more_questions_than_places_are_refused_at_once` |
//! | R-20 | the route is decided again later, and otherwise | `policy::decision`: the permit names its route | `policy::requirement` |
//! | R-27 | a huge `exp` wraps, or lives for ever in memory | `time`: instants are clamped, sums saturate | `time`, `token::claims`: `huge_dates_are_clamped` |
//! | R-29 | `active` is not a boolean | `proof::introspected` | `proof::introspected`: `active_is_the_json_boolean_true` |
//! | R-30 | a claim of the wrong type counts as absent (CVE-2026-25537) | `token::claims` | `token::claims`: `a_claim_of_the_wrong_type_is_never_absent` |
//! | R-37 | somebody reads a token before it is verified | `proof::verified`: only `verify` makes facts; before, only `iss` can be peeked at | the compiler |
//! | R-44 | an expired entry is served, because the cache's timer is late | `gate::facts`: `exp` is compared on each read | `gate/remembered`: `expiry_is_judged_on_every_hit_and_leeway_lengthens_no_entry` |
//!
//! # Signatures and keys
//!
//! | | attack | answered by | shown by |
//! |---|---|---|---|
//! | R-24 | the token chooses its algorithm; a key is used with another's (CVE-2026-22817, CVE-2026-48523, CVE-2026-39999) | `proof::jwk`: a key is made ready for its own algorithms, and can't be taken apart from them | `vectors`, `gate/keys`: `what_can_never_be_valid_costs_no_fetch` |
//! | R-25 | TLS to the issuer is not verified; no audience is configured | `remote::tls`: verification can't be switched off; `config`: audiences are mandatory | `config` |
//! | R-26 | `iss`, `aud` or `exp` is not checked | `policy::issuer` | `policy::issuer`, `decisions` |
//! | R-31 | the cryptographic library verifies nothing, or everything | `proof::self_test`: known answers, before anything listens | `proof::self_test` |
//! | R-32 | a public key is taken for an HMAC secret (CVE-2026-34950, CVE-2022-29217) | `proof::algorithm`: there is no HMAC; `oct` keys are skipped | `vectors`, `proof::set` |
//! | R-33 | `crit` is ignored (CVE-2026-35042, CVE-2026-32597) | `token::jws` | `token::jws`: `headers_are_read_strictly` |
//! | R-34 | each unknown key id costs a fetch; a failed fetch empties the set (CVE-2026-48524) | `gate::keyring`: the slot is taken before the fetch; what fails changes nothing | `gate/keys`: `random_key_ids_cost_one_fetch_a_cool_down`, `a_broken_answer_keeps_the_last_good_set` |
//! | R-36 | an encrypted token wraps an unsigned one (CVE-2026-29000) | `token::jws`: a JWE is refused by its form | `vectors`, `token::jws` |
//! | R-38 | `r = s = 0`, weak keys, points off the curve or of small order (CVE-2022-21449) | `proof::jwk`, `proof::verify` | `vectors`, `proof::jwk` |
//! | – | `jku`, `x5u`, `jwk`, `x5c` bring a key along | `token::jws`: they are not even read | `token::jws`: `strange_sources_of_keys_are_not_even_read` |
//! | – | the same key id at two issuers | `gate::hall`: the key set is that of the token's own issuer | `gate/keys`: `the_same_key_id_at_two_issuers_never_crosses` |
//! | – | a withdrawn or replaced key is still trusted | `gate::hall`: facts count while their very key is in the set | `gate/remembered`: `a_key_that_leaves_the_set_takes_its_tokens_along`, `a_key_replaced_under_its_name_takes_its_tokens_along` |
//!
//! # Tokens that are something else
//!
//! | | attack | answered by | shown by |
//! |---|---|---|---|
//! | – | an ID token, logout token, security event, refresh token | `policy::issuer`, step 2 | `policy::issuer`: `kind` |
//! | – | a token of Okta's org authorization server | `policy::issuer`: a reason of its own; `config`: refused at load | `decisions`, `config/okta.yaml` |
//! | – | a bound token, shown as a plain bearer token | `policy::binding` | `decisions`, `gate/opaque` |
//! | R-10 | a value that contains, begins with or ends in the right one | everywhere: whole values, compared exactly | `decisions`, `token::scope` |
//!
//! # The request
//!
//! | | attack | answered by | shown by |
//! |---|---|---|---|
//! | R-03 | two readers take a path for two things (CVE-2026-33494, CVE-2021-31920, CVE-2025-66490, …) | `policy::path`: one canonical form or 400; nothing is rewritten before it is judged | `paths`, `attacks` |
//! | R-04, R-08 | a header steers the decision (CVE-2026-33495, CVE-2026-40575) | nothing but `Authorization` is read; forwarding headers are our own | `attacks` |
//! | R-05 | `Connection` takes our header away (GHSA-w9mr-28mw-j8hg, CVE-2024-45410) | `proxy`: nominated fields go first, ours come last | `attacks` |
//! | R-06, R-07 | the query or a fragment makes a path public (CVE-2025-54576, CVE-2026-41059) | `policy::path` | `attacks`, `paths` |
//! | R-09, R-28 | identity headers in another spelling, on another route, in a trailer (CVE-2025-64484, CVE-2026-30851) | `policy::identity`: names are compared normalised | `policy::identity`, `attacks` |
//! | R-13 | bytes behind CONNECT or an upgrade (CVE-2026-2833, CVE-2026-71324) | `policy::routes`: CONNECT and TRACE have no route; `proxy`: upgrades where a route allows them | `attacks` |
//! | R-16 | the token reaches somebody else | `proxy`: it stops at the gate, unless the route says otherwise | `attacks`, `e2e` |
//! | R-17, R-19 | some input panics or hangs the gate (CVE-2025-64527) | no `unwrap`, no indexing on what the network can cause | `fuzz_corpus`, `attacks`, `vectors`, `config`: a mutation of every line of the reference |
//! | R-18 | one branch compares letters otherwise (CVE-2026-27587) | `policy::routes`: one function; a path that differs by case alone is refused | `paths`, `policy::routes` |
//! | R-21 | a bad token passes as none | `gate::hall`: on a route that asks for a token, one that is there is judged | `attacks` |
//! | R-22 | the second of two header values counts | `token::credential` | `attacks` |
//! | R-35 | huge, deep or oddly shaped input makes work (CVE-2025-30204, CVE-2026-34986) | sizes first: 16 KiB, 256 members, 64 keys; nesting is skipped without recursion | `token::json`, `token::jws`, `attacks` |
//! | R-39 | the body of a refused request becomes the next request (CVE-2025-4366) | `proxy`: it is drained, or the connection closed | `attacks` |
//! | R-42 | two readers see two requests (CVE-2021-21299, CVE-2026-2835) | `proxy`: one framing header in canonical form, or 400 | `attacks` |
//!
//! # The house
//!
//! | | attack | answered by | shown by |
//! |---|---|---|---|
//! | R-12 | an issuer's answer without end (CVE-2026-26998) | `remote::client`: bounded while it is read | `outages` |
//! | R-14 | what can't be set up is left open (CVE-2026-54762, CVE-2026-27586) | `config`: nothing starts | `config` |
//! | R-15 | a token in a log (CVE-2022-23469) | no room formats one; `proxy` caps its libraries' logs | `attacks`, `e2e`: `no_token_is_logged_even_at_the_finest_level` |
//! | R-23 | a requirement vanishes when another is added | `policy::requirement`: all of them hold; only audiences are replaced, in words | `decisions` |
//! | R-40, R-41 | flaws of the stack below | `Cargo.lock`, `.deny.toml`; explicit HTTP/2 limits | `gateway` |
//! | R-43 | YAML that means something else: aliases, duplicates, a second document | `config::yaml` | `config` |
