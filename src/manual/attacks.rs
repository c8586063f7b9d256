//! Each attack, the room that answers it, and the test that shows it.
//!
//! Most of these are incidents of gateways and libraries that many people trust; the rest are the attack classes of the
//! standards (RFC 6750 section 5, RFC 8725, RFC 9700). A test is named by its function, behind its file below `tests/` or the
//! module that it stands in; tables of cases by their file. `attacks` are the tables `tests/attacks/*.yaml`, sent byte for byte
//! over HTTP/1 and HTTP/2 and put to the gate itself; `decisions` are the tables `tests/decisions/*.yaml`, run through the core
//! and every door. `tests/manual.rs` holds this page to what there is.
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
//! | R-02 | what one issuer said of a token counts for another (CVE-2026-33496, CVE-2026-35039) | `token::fingerprint`: SHA-256 of the whole token, and of the issuer for opaque ones | `token::fingerprint`: `an_opaque_token_is_another_one_at_another_issuer`; `shared/vault`: `every_part_of_a_question_is_in_its_name` |
//! | R-11 | a shared question hands one caller another's answer (CVE-2026-71326) | `gate::desk`: questions are keyed as the memory is | `gate/opaque`: `a_thousand_requests_with_one_token_ask_once`, `more_questions_than_places_are_refused_at_once`; `token::fingerprint`: `an_opaque_token_is_another_one_at_another_issuer` |
//! | R-20 | the route is decided again later, and otherwise (CVE-2024-45809) | `policy::decision`: the permit names its route | `gateway/through`: `prefixes_change_after_the_judgement` |
//! | – | one policy permits a request, and another one's upstream gets it: a reload in the middle | `proxy::door`: a permit goes to the upstreams of its own policy | `gateway/lifecycle`: `who_waits_through_a_reload_goes_where_the_new_policy_says`; `proxy::upstream`: `a_policy_s_requests_go_to_its_own_upstreams` |
//! | – | whoever was asked before a reload is believed after it | `gate::hall`: an answer counts at the desk that asked | `gate/opaque`: `who_is_asked_no_longer_is_not_believed` |
//! | – | an issuer dates a token ahead, so that an order to revoke meets the tokens of others yet to come | `gate::forget`: each issuer's own latest `iat` | `gate/remembered`: `an_issuer_whose_clock_is_ahead_locks_nobody_else_out` |
//! | R-27 | a huge `exp` wraps, or lives for ever in memory | `time`: instants are clamped, sums saturate | `time`: `sums_saturate`; `token::claims`: `huge_dates_are_clamped`; `policy::issuer`: `absurd_dates_are_no_way_in_and_no_way_down` |
//! | R-29 | `active` is not a boolean | `proof::introspected` | `proof::introspected`: `active_is_the_json_boolean_true` |
//! | R-30 | a claim of the wrong type counts as absent (CVE-2026-25537) | `token::claims` | `token::claims`: `a_claim_of_the_wrong_type_is_never_absent`; `decisions/claims.yaml` |
//! | – | an object stands for another value, by a name of the JSON library's own | `token::json`: no such name | `decisions/structure.yaml` |
//! | R-37 | somebody reads a token before it is verified (CVE-2024-51744) | `proof::verified`: only `proof::verify` and `proof::introspected` make facts; before, only `iss` can be peeked at | `token::claims`: `the_issuer_can_be_peeked_at`; `gate/keys`: `what_can_never_be_valid_costs_no_fetch` |
//! | R-44 | an expired entry is served, because the cache's timer is late | `gate::facts`: `exp` is compared on each read | `gate/remembered`: `expiry_is_judged_on_every_hit_and_leeway_lengthens_no_entry` |
//!
//! # Signatures and keys
//!
//! | | attack | answered by | shown by |
//! |---|---|---|---|
//! | R-24 | the token chooses its algorithm; a key is used with another's (CVE-2026-22817, CVE-2026-48523, CVE-2026-39999) | `proof::jwk`: a key is made ready for its own algorithms, and can't be taken apart from them | `decisions/algorithms.yaml`; `proof::jwk`: `what_the_members_say_is_kept_to`; `vectors`: `wycheproof_signatures` |
//! | R-25 | TLS to the issuer is not verified; no audience is configured (CVE-2026-31923) | `remote::tls`: verification can't be switched off; `config::compile`: audiences are mandatory | `remote/tls`: `a_root_of_the_operator_s_is_trusted_and_no_other`, `the_certificate_must_name_the_host`; `config/missing.yaml` |
//! | R-26 | `iss`, `aud` or `exp` is not checked (GHSA-wcvh-g65p-v576) | `policy::issuer` | `policy::issuer`: `an_audience_is_one_of_ours_as_a_whole`, `a_signed_token_says_when_it_expires`; `decisions/issuers.yaml`, `decisions/claims.yaml` |
//! | R-31 | the cryptographic library verifies nothing, or everything | `proof::self_test`: known answers, before anything listens | `proof::self_test`: `the_known_answers_are_those_of_the_published_keys`, `a_library_that_errs_is_found_out` |
//! | R-32 | a public key is taken for an HMAC secret (CVE-2026-34950, CVE-2022-29217) | `proof::algorithm`: there is no HMAC; `proof::set`: `oct` keys are skipped | `decisions/algorithms.yaml`; `proof::set`: `bad_entries_are_skipped_with_a_reason` |
//! | – | a revoked token comes back with its ECDSA signature written in the other way, `(r, n - s)` | `gate::revocations`: a signed token is told by its claims | `gate/remembered`: `a_revoked_token_is_revoked_in_other_words_too` |
//! | R-33 | `crit` is ignored (CVE-2026-35042, CVE-2026-32597) | `token::jws` | `token::jws`: `headers_are_read_strictly`; `decisions/structure.yaml` |
//! | R-34 | each unknown key id costs a fetch; a failed fetch empties the set (CVE-2026-48524) | `gate::keyring`: the slot is taken before the fetch; what fails changes nothing | `gate/keys`: `random_key_ids_cost_one_fetch_a_cool_down`, `a_broken_answer_keeps_the_last_good_set`; `availability/issuers`: `random_key_ids_by_32_callers_cost_one_fetch_a_cool_down` |
//! | R-36 | an encrypted token wraps an unsigned one (CVE-2026-29000) | `token::jws`: a JWE is refused by its form | `vectors`: `wycheproof_encryption`; `attacks/tokens.yaml` |
//! | R-38 | `r = s = 0`, weak keys, points off the curve or of small order (CVE-2022-21449) | `proof::jwk`, `proof::verify` | `vectors`: `wycheproof_signatures`, `wycheproof_keys`; `proof::jwk`: `points_lie_on_the_curve_and_are_not_of_small_order`, `rsa_keys_have_a_sound_size_and_exponent` |
//! | – | the same key id at two issuers | `gate::hall`: the key set is that of the token's own issuer | `gate/keys`: `the_same_key_id_at_two_issuers_never_crosses` |
//! | – | a withdrawn or replaced key is still trusted | `gate::hall`: facts count while their very key is in the set | `gate/remembered`: `a_key_that_leaves_the_set_takes_its_tokens_along`, `a_key_replaced_under_its_name_takes_its_tokens_along` |
//!
//! # The request
//!
//! | | attack | answered by | shown by |
//! |---|---|---|---|
//! | R-03 | two readers take a path for two things (CVE-2026-33494, CVE-2021-31920, CVE-2025-66490, …) | `policy::path`: one canonical form or 400; nothing is rewritten before it is judged | `attacks/paths.yaml`; `policy::path::non_ascii`: `no_plain_character_is_written_with_a_separator`; `paths`: `inputs_of_known_incidents_are_refused`, `no_accepted_path_takes_another_route_in_another_reader_s_eyes` |
//! | R-04 | a forwarding header steers the decision (CVE-2026-33495) | `proxy::forward`: forwarding headers are our own; the gate reads none | `attacks/headers.yaml`; `proxy::forward`: `forwarding_fields_are_believed_of_trusted_proxies_alone` |
//! | R-05 | `Connection` takes our header away (GHSA-w9mr-28mw-j8hg, CVE-2024-45410) | `proxy::forward`: nominated fields go first, ours come last | `gateway/identity`: `connection_can_t_make_ours_vanish`; `attacks/headers.yaml` |
//! | R-06 | the query makes a path public (CVE-2025-54576) | `policy::path`: routes see the path alone | `attacks/paths.yaml` |
//! | R-07 | a fragment makes a path public (CVE-2026-41059) | `proxy::head`: 400. Over HTTP/2 the library drops a fragment unseen: what is judged is what is forwarded | `attacks/paths.yaml`; `gateway/edges`: `a_target_is_forwarded_as_it_came_or_not_at_all` |
//! | R-08 | some other header grants something (CVE-2026-40575, CVE-2026-34457) | `token::credential`: `Authorization` and nothing else; `proxy::admin`: health has a listener of its own | `attacks/headers.yaml`; `gateway/admin`: `callers_and_operators_never_meet` |
//! | R-09 | identity headers in another spelling, on another route, in a trailer (CVE-2025-64484, CVE-2026-30851) | `policy::identity`: names are compared normalised | `policy::identity`: `no_spelling_of_a_protected_name_passes`; `gateway/identity`: `no_spelling_arrives_on_any_kind_of_route`, `trailers_carry_nothing`; `attacks/headers.yaml` |
//! | R-10 | a value that contains, begins with or ends in the right one (CVE-2026-40574) | `policy::issuer`, `token::scope`: whole values, compared exactly | `token::scope`: `whole_words_only`; `decisions/issuers.yaml`, `decisions/scopes.yaml` |
//! | R-13 | bytes behind CONNECT or an upgrade (CVE-2026-2833, CVE-2026-71324) | `proxy::head`: CONNECT is refused; `proxy::connection`: nothing of the next request passes early | `gateway/edges`: `bytes_after_an_upgrade_that_was_refused_are_no_request`; `attacks/framing.yaml`, `attacks/http2.yaml` |
//! | R-16 | the token reaches somebody else (CVE-2026-41181) | `proxy::forward`: it stops at the gate, unless the route says otherwise | `gateway/identity`: `the_token_is_passed_on_where_the_route_says_so`; `proxy::forward`: `the_token_stays_behind_unless_the_route_passes_it_on` |
//! | R-17 | some input panics the gate (CVE-2026-27141) | no `unwrap`, no indexing on what the network can cause; `proxy::listener`: a panic ends one connection | `fuzz_corpus`; `attacks`: `no_hostile_request_gets_past_the_gateway`; `gate/opaque`: `an_endpoint_that_panics_on_trial_is_tried_again`; `config`: `broken_files_are_refused_with_a_reason` |
//! | R-18 | one branch compares letters otherwise (CVE-2026-27587) | `policy::routes`: one function; a path that differs by case alone is refused | `policy::routes`: `a_path_that_is_another_route_s_without_case_is_refused`; `paths/random`: `plain_paths_take_the_route_that_the_slow_search_finds_whatever_the_order_of_routes` |
//! | R-19 | several credentials and a failing issuer at once (CVE-2025-64527) | `token::credential`: exactly one | `token::credential`: `two_fields_are_refused_even_if_equal`; `outages/floods`: `ten_thousand_random_kids_cost_one_fetch_a_cool_down` |
//! | R-21 | a bad token passes as none (CVE-2021-21378) | `gate::hall`: on a route that asks for a token, one that is there is judged. On a public route none is looked at, and none is believed | `attacks/tokens.yaml`; `decisions/credentials.yaml` |
//! | R-22 | the second of two header values counts; a token names the URL that we ask (CVE-2026-26308, CVE-2026-41413) | `token::credential`, `proxy::vet`: one value; `remote::url`: our own configuration's URLs alone. Metadata and key sets may redirect at home, three times; questions may not | `proxy::vet`: `there_is_one_host`; `remote/client`: `redirects_are_followed_at_home_and_three_times`; `remote::url`: `an_issuer_elsewhere_can_not_send_us_to_ourselves` |
//! | R-28 | an early answer lets the caller's identity headers pass | `policy::identity`: they are taken out of every request that is forwarded, preflights too | `decisions/cors.yaml`; `attacks/headers.yaml` |
//! | R-35 | huge, deep or oddly shaped input makes work (CVE-2025-30204, CVE-2026-34986) | `token::jws`, `token::json`: sizes first: 16 KiB, 256 members, 64 keys; nesting is skipped without recursion | `token::credential`: `length_is_bounded`; `config::yaml`: `size_and_depth_are_bounded`; `attacks/tokens.yaml`, `attacks/framing.yaml` |
//! | R-39 | the body of a refused request becomes the next request (CVE-2025-4366) | `proxy::respond`: it is drained, or the connection closed | `gateway/refusals`: `a_connection_goes_on_after_a_refusal`, `a_refused_body_is_read_within_bounds` |
//! | R-42 | two readers see two requests (CVE-2021-21299, CVE-2026-2835) | `proxy::head`, `proxy::vet`: one framing header in canonical form, or 400; `proxy::chunks`: a chunked body in one reading, or 400 | `gateway/refusals`: `requests_that_can_be_read_in_two_ways_are_refused`; `gateway/edges`: `chunks_are_strict`; `gateway/upstreams`: `an_answer_has_one_end_or_is_none`; `gateway/http2`: `a_body_that_ends_in_an_empty_frame_ends_once_at_an_http1_upstream`; `proxy::forward`: `there_is_one_framing_field`; `attacks/framing.yaml`, `attacks/http2.yaml` |
//!
//! # The house
//!
//! | | attack | answered by | shown by |
//! |---|---|---|---|
//! | R-12 | an issuer's answer without end (CVE-2026-26998) | `remote::client`: bounded while it is read | `remote/client`: `answers_that_are_none_are_told_apart`; `availability/issuers`: `an_odd_key_set_costs_a_bounded_wait_and_no_memory` |
//! | R-14 | what can't be set up is left open (CVE-2026-54762, CVE-2026-27586) | `config::compile`, `assemble`: nothing starts | `cli`: `run_refuses_a_configuration_with_problems`; `remote/client`: `files_that_can_not_be_used_are_named` |
//! | R-15 | a token in a log, or a line that a caller wrote (CVE-2022-23469, CVE-2024-45808) | `proxy::logging`: no library speaks below `info`; `proxy::access`: fingerprints, and escaped values; `cli::logging`: a panic's message is told if it stands in the source | `secrets`: `nothing_that_is_written_for_people_holds_a_token_or_a_secret`, `nothing_that_is_written_for_machines_holds_a_token_or_a_secret`; `proxy::access`: `nothing_breaks_out_of_a_line`; `cli::logging`: `what_was_put_together_at_run_time_is_withheld` |
//! | R-23 | a requirement vanishes when another is added (Envoy Gateway 8781) | `policy::requirement`: all of them hold; only audiences are replaced, in words | `policy::requirement`: `every_condition_must_hold_and_scopes_come_first`; `decisions/issuers.yaml` |
//! | R-40 | flaws of the stack below | `Cargo.lock` pins it; `.deny.toml` says what may enter; no cache of pingora's is compiled | `run`, step `deny` |
//! | R-41 | rapid reset, CONTINUATION, empty DATA and their kin (CVE-2023-44487, CVE-2025-8671) | `proxy::server`: explicit limits; `proxy::frames`: header blocks, and frames that ask for nothing, are watched | `availability/http2`: `streams_that_are_opened_to_be_reset`, `streams_that_make_the_other_side_reset_them`, `a_header_block_that_never_ends`; `gateway/http2`: `limits_are_said_aloud` |
//! | R-43 | YAML that means something else: aliases, duplicates, a second document (RUSTSEC-2018-0005) | `config::yaml` | `config::yaml`: `what_makes_yaml_surprising_is_refused`; `config/yaml.yaml`, `config/documents.yaml` |
//!
//! # Classes
//!
//! | class | what is refused | answered by | shown by |
//! |---|---|---|---|
//! | signature and algorithm | `none`, HMAC with any public form of a key, another algorithm than the issuer's and the key's, signatures in other forms or with absurd numbers | `proof::algorithm`, `proof::verify` | `decisions/algorithms.yaml`; `vectors`: `wycheproof_crypto` |
//! | header | keys that a token brings along, `crit`, `b64`, odd `kid` and `typ`, members twice | `token::jws` | `attacks/keys`: `what_a_token_points_at_is_never_fetched`, `an_odd_name_of_a_key_breaks_out_of_nothing`; `token::jws`: `strange_sources_of_keys_are_not_even_read`; `decisions/structure.yaml` |
//! | structure | other serialisations, encrypted and nested tokens, padding, another spelling of a remembered token | `token::jws`, `token::fingerprint` | `gate/remembered`: `another_spelling_of_a_remembered_token_is_another_token`; `decisions/structure.yaml`; `attacks/tokens.yaml` |
//! | time | no `exp`, or one that is no number; `nbf` not reached | `policy::issuer` | `policy::issuer`: `times_are_judged_to_the_millisecond_give_or_take_the_leeway`; `decisions/claims.yaml` |
//! | issuer, audience, client, scope | values that are nearly right, of another type, or in another claim | `policy::issuer`, `policy::requirement` | `decisions/issuers.yaml`, `decisions/claims.yaml`, `decisions/scopes.yaml` |
//! | other tokens | ID, logout, refresh and security event tokens, DPoP proofs, client assertions; tokens of Okta's org authorization server; a bound token shown as a plain one | `policy::issuer`, `policy::binding` | `policy::issuer`: `id_tokens_are_told_by_their_claims`, `security_events_and_logout_tokens_are_told_by_their_events`, `typ_is_that_of_an_access_token_or_says_nothing`; `decisions/profiles.yaml`; `config/okta.yaml` |
//! | presentation | a token anywhere but in one `Authorization` field in one form | `token::credential`, `policy::path` | `attacks/tokens.yaml`; `decisions/credentials.yaml`; `policy::path`: `a_token_in_the_query_is_refused_however_it_is_spelled` |
//! | HTTP | odd paths, methods, hosts, lengths, trailers, pseudo-header fields | `proxy::head`, `proxy::vet`, `policy::path`, `policy::routes` | `attacks`: `no_hostile_request_gets_past_the_gateway`, `nor_does_one_over_http2`, `nor_past_the_gate_itself` |
//! | key sets | more than one fetch a cool-down; odd documents; unusable keys | `gate::keyring`, `proof::set` | `outages/table.md`; `proof::set`: `bad_entries_are_skipped_with_a_reason`, `a_document_without_a_usable_key_is_no_set` |
//! | introspection | a form that becomes two fields; answers that are none; a JWT's second chance | `remote::form`, `remote::introspection`, `gate::desk` | `remote/introspection`: `a_question_is_one_post_with_one_token`, `what_is_no_answer_is_an_outage`; `gate/opaque`: `garbage_never_reaches_the_issuer`, `answers_are_judged_like_a_jwt_s_claims`, `what_begins_as_a_signed_token_is_no_opaque_one`, `many_questions_are_no_outage`, `a_token_with_another_issuer_s_prefix_is_shown_to_nobody_else`, `tokens_that_fail_alone_cost_the_others_nothing`, `what_was_answered_is_forgotten_where_another_is_asked`, `what_was_answered_is_not_believed_longer_than_the_reload_says` |
//! | configuration | unknown, missing, doubled and empty keys, a route that says nothing | `config::compile`, `config::yaml` | `config`: `problems_are_told_as_expected`, `every_kind_of_problem_has_a_case` |
//! | logs | tokens, parts of signatures, secrets and keys, at any level | `proxy::logging`, `config::cover`, `remote::secret` | `secrets`: `nothing_that_is_written_for_people_holds_a_token_or_a_secret`, `what_check_says_of_a_configuration_holds_no_secret`; `shared/secrecy`: `neither_tokens_nor_claims_nor_fingerprints_are_in_redis_or_on_the_way` |
//!
//! # Availability
//!
//! What holds is asserted through the real program; the same is shown of the library in `outages` and `gate`. Counts are strict
//! everywhere; times and work are those of a build with optimisation, and more is granted to one without.
//!
//! | scenario | what holds | answered by | shown by |
//! |---|---|---|---|
//! | 32 callers with random key ids | fetches ≤ elapsed / cool-down + 1; valid requests < 1 s | `gate::keyring` | `availability/issuers`: `random_key_ids_by_32_callers_cost_one_fetch_a_cool_down` |
//! | a key set that hangs, trickles, has 400 MB, is a compressed bomb, or 200 KB of `[` | an answer after `keys.wait`; < 50 MB more; known keys unaffected | `remote::client` | `availability/issuers`: `an_odd_key_set_costs_a_bounded_wait_and_no_memory` |
//! | an issuer down at the start | 503 with `Retry-After`; public routes work; recovers within a cool-down | `gate::keyring` | `availability/issuers`: `an_issuer_that_is_down_at_the_start_is_waited_for` |
//! | a cold herd of 64 | one fetch, all served | `gate::keyring` | `availability/issuers`: `a_herd_of_64_at_a_cold_start_costs_one_fetch` |
//! | 64 callers with one opaque token | one question | `gate::desk` | `availability/issuers`: `sixty_four_callers_with_one_opaque_token_ask_once` |
//! | a rotation without overlap | one fetch, served within 1 s | `gate::keyring` | `availability/issuers`: `a_rotation_without_overlap_costs_one_fetch_and_no_refusal` |
//! | 200 heads that drip | all ended after `header_timeout`; valid requests < 1 s | `proxy::http1` | `availability/callers`: `two_hundred_who_drip_their_heads_are_cut_off`; `gateway/http2`: `a_header_block_that_drips_is_cut_off` |
//! | floods over HTTP/2 | ended, or < 50 MB more; valid requests < 1 s | `proxy::server`, `proxy::frames` | `availability/http2`: `settings_without_end`, `pings_without_end`, `frames_that_ask_for_nothing`, `a_body_of_empty_frames`, `a_header_block_of_empty_frames`, `fields_that_are_larger_than_their_names`, `requests_whose_answers_nobody_reads` |
//! | 2,000 aborted connections; wrong signatures without end | no error for valid callers, no fetch | `proxy::listener`, `gate::hall` | `availability/callers`: `two_thousand_who_leave_in_the_middle_cost_valid_callers_nothing`, `wrong_signatures_without_end_cost_valid_callers_nothing` |
//! | amplification | bytes as they travel (in IP packets) ≤ 10 times the caller's own, over HTTP/1 the processor's time as well (over HTTP/2, where a request may be 13 bytes, the protocol alone costs more than that: see the limits of [`security`](super::security)); no request upstream, one fetch a cool-down | `proxy::refusal`, `proxy::respond`, `proxy::connection`, `gate::keyring` | `availability/amplification`: `no_refusal_is_ten_times_as_long_as_its_request`, `no_refusals_over_http2_are_ten_times_as_long_as_a_packet_full_of_requests`, `who_asks_ahead_gets_one_refusal_a_connection`, `a_refusal_costs_no_more_than_ten_times_the_caller_s_own_work` |
//!
//! # Decisions
//!
//! Where the documents leave a choice, or practice differs from them.
//!
//! | | decided | answered by | shown by |
//! |---|---|---|---|
//! | D-1 | `scp` and `scope` are taken together, each as text or list; a list element with a space is one scope, which matches nothing | `token::claims`, `token::scope` | `decisions/scopes.yaml`; `token::scope`: `other_whitespace_does_not_separate` |
//! | D-2 | `typ` is absent, `JWT`, `at+jwt` or `application/at+jwt`; profile `rfc9068` insists on the latter two | `policy::issuer` | `policy::issuer`: `typ_is_that_of_an_access_token_or_says_nothing`; `decisions/profiles.yaml` |
//! | D-3 | what begins with a JOSE header is a JWS, sound or not, or, with five parts, a JWE, which is refused; all else is opaque; a JWS is never introspected instead | `token::jws`, `gate::hall` | `token::jws`: `shapes_are_told_apart`; `gate/opaque`: `signed_tokens_are_introspected_too_where_that_is_configured` |
//! | D-4 | a token with `cnf`, shown as a plain bearer token, is refused | `policy::binding` | `tower/axum`: `a_token_bound_to_a_certificate_needs_that_certificate`; `token::confirmation`: `what_is_not_understood_is_unknown` |
//! | D-5 | `Authorization` and fields that override the method are taken off | `policy::identity`, `proxy::forward` | `policy::identity`: `fields_that_override_the_method_are_taken_out`; `gateway/identity`: `the_token_is_passed_on_where_the_route_says_so` |
//! | D-6 | without `kid`, at most four keys that fit are tried; a `kid` that is no text, or too long, is refused. Keys of one `kid` are all tried | `proof::set` | `proof::set`: `at_most_four_are_tried`; `attacks/keys`: `an_odd_name_of_a_key_breaks_out_of_nothing`; `decisions/keys.yaml` |
//! | D-7 | key sets are fetched again for an unknown key alone, once a cool-down; `keys.max_age` bounds their age where it is set, which `check --strict` recommends | `gate::keyring` | `gate/keys`: `an_aged_set_is_fetched_again_in_the_background`, `a_signature_that_no_key_explains_may_cost_one_fetch_if_no_key_is_named` |
//! | D-8 | an answer is believed until `exp` or the ceiling, whichever is sooner: the revocation window | `gate::desk` | `gate/opaque`: `the_ceiling_is_the_revocation_window`, `without_exp_an_answer_lives_for_a_minute` |
//! | D-9 | a preflight passes where its route says so, is a request like others on a public one, and is answered 401 elsewhere | `policy::routes`, `gate::hall` | `decisions/cors.yaml` |
//! | D-10 | the body of a request that we answer is drained within a bound, or the connection closed | `proxy::respond` | `gateway/refusals`: `a_refused_body_is_read_within_bounds` |
