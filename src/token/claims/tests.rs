use super::*;

fn parse(json: &str) -> Result<Claims, ClaimsError> {
    Claims::parse(json.as_bytes())
}

#[test]
fn the_shapes_that_real_issuers_send() {
    let okta = parse(
        r#"{"ver":1,"jti":"AT.x","iss":"https://example.okta.com/oauth2/default","aud":"api://default","iat":1.5,
            "exp":1700000000.9,"cid":"0oa1","uid":"00u1","scp":["a","b c"],"scope":"d e","sub":"alice"}"#,
    )
    .unwrap();
    assert_eq!(okta.scopes().iter().collect::<Vec<_>>(), ["a", "b c", "d", "e"]);
    assert_eq!(okta.issued_at(), Some(UnixTime::from_millis(1_500)));
    assert_eq!(okta.expires(), Some(UnixTime::from_millis(1_700_000_000_900)));
    assert_eq!(okta.get("uid"), Some("00u1".into()));
    assert_eq!(okta.get("none"), None);
    let many =
        parse(r#"{"aud":["client","api"],"scp":"x y","realm_access":{"roles":["r"]},"a/b":1}"#).unwrap();
    assert_eq!(many.audiences().collect::<Vec<_>>(), ["client", "api"]);
    assert_eq!(many.scopes().iter().collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(many.get("/realm_access/roles/0"), Some("r".into()));
    assert_eq!(many.get("/a~1b"), Some(1.into()));
    let none = parse("{}").unwrap();
    assert!(none.audiences().next().is_none() && none.expires().is_none() && none.scopes().is_empty());
}

#[test]
fn a_claim_of_the_wrong_type_is_never_absent() {
    let text =
        ["iss", "sub", "jti", "sid", "cid", "client_id", "azp", "appid", "token_use", "token_type", "typ"];
    for claim in text {
        for value in ["null", "1", "true", "{}", r#"["a"]"#, "[]"] {
            let json = format!(r#"{{"{claim}":{value}}}"#);
            assert_eq!(parse(&json).err(), Some(ClaimsError::WrongType(claim)), "{json}");
        }
    }
    for claim in ["exp", "nbf", "iat"] {
        for value in ["null", "\"1700000000\"", "true", "{}", "[1]", "-1", "-0.5", "1e400"] {
            let json = format!(r#"{{"{claim}":{value}}}"#);
            assert_eq!(parse(&json).err(), Some(ClaimsError::WrongType(claim)), "{json}");
        }
    }
    for claim in ["aud", "scope", "scp"] {
        for value in ["null", "1", "true", "{}", "[1]", r#"["a",null]"#, r#"[["a"]]"#] {
            let json = format!(r#"{{"{claim}":{value}}}"#);
            assert_eq!(parse(&json).err(), Some(ClaimsError::WrongType(claim)), "{json}");
        }
    }
    assert_eq!(parse(r#"{"cnf":"x"}"#).err(), Some(ClaimsError::WrongType("cnf")));
}

#[test]
fn huge_dates_are_clamped() {
    for huge in ["9007199254740993", "9223372036854775808", "18446744073709551616", "1e308"] {
        assert_eq!(parse(&format!(r#"{{"exp":{huge}}}"#)).unwrap().expires(), Some(UnixTime::MAX), "{huge}");
    }
}

#[test]
fn one_object_with_unique_names() {
    for json in [
        "",
        "[]",
        "1",
        r#"{"a":1,"a":1}"#,
        r#"{"iss":"a","iss":"a"}"#,
        r#"{} {}"#,
        r#"{"a":"\ud800"}x"#,
        r#"{"a":{"b":1,"b":1}}"#,
        r#"{"a":[[{"b":{},"b":{}}]]}"#,
    ] {
        assert_eq!(parse(json).err(), Some(ClaimsError::NotAnObject), "{json}");
    }
    assert!(Claims::parse(b"{\"a\":\"\xff\"}").is_err());
    assert!(parse(r#"{"cnf":{"jkt":"","x":{"b":1,"b":1}}}"#).is_err());
}

#[test]
fn the_issuer_can_be_peeked_at() {
    assert_eq!(
        Claims::peek_issuer(br#"{"a":1,"iss":"https:\/\/as"}"#).unwrap().as_deref(),
        Some("https://as")
    );
    assert_eq!(Claims::peek_issuer(b"{}").unwrap(), None);
    // What follows is for `parse`, which refuses it.
    assert_eq!(Claims::peek_issuer(br#"{"iss":"a","iss":"b"} x"#).unwrap().as_deref(), Some("a"));
    for broken in ["", "[]", "1", r#"{"a":1,"a":1,"iss":"a"}"#, "{} {}", r#"{"a":tru,"iss":"a"}"#] {
        assert_eq!(Claims::peek_issuer(broken.as_bytes()), Err(ClaimsError::NotAnObject), "{broken}");
    }
    for wrong in [r#"{"iss":null}"#, r#"{"iss":["a"]}"#, r#"{"iss":1}"#] {
        assert_eq!(Claims::peek_issuer(wrong.as_bytes()), Err(ClaimsError::WrongType("iss")));
    }
}

#[test]
fn marks_of_other_tokens_are_seen() {
    let nonce = parse(r#"{"nonce":"n"}"#).unwrap();
    assert!(nonce.has_nonce() && !nonce.has_id_token_hash());
    for hash in ["at_hash", "c_hash", "s_hash"] {
        let hash = parse(&format!(r#"{{"{hash}":null}}"#)).unwrap();
        assert!(hash.has_id_token_hash() && !hash.has_nonce());
    }
    assert!(parse(r#"{"events":{}}"#).unwrap().has_events());
    assert_eq!(parse(r#"{"typ":"ID"}"#).unwrap().kind(KindClaim::Typ), Some("ID"));
}

#[test]
fn strings_with_escapes_are_decoded_and_the_object_stays_as_it_came() {
    let json = r#"{"sub":"\u0061lice","aud":["api","b\/c"],"scope":"x\u0020y z","cid":"shop","jti":""}"#;
    let claims = parse(json).unwrap();
    assert_eq!((claims.subject(), claims.client(ClientClaim::Cid)), (Some("alice"), Some("shop")));
    assert_eq!((claims.id(), claims.session()), (Some(""), None));
    assert_eq!(claims.audiences().collect::<Vec<_>>(), ["api", "b/c"]);
    assert_eq!(claims.scopes().iter().collect::<Vec<_>>(), ["x", "y", "z"]);
    assert_eq!(claims.as_json(), json);
    assert_eq!(claims.get("sub"), Some("alice".into()));
}

#[test]
fn the_longest_claims_have_1_mib() {
    let bytes =
        |bytes: usize| parse(&format!(r#"{{"sub":"\n{}"}}"#, "x".repeat(bytes - r#"{"sub":"\n"}"#.len())));
    let longest = bytes(1024 * 1024).unwrap();
    assert_eq!(
        longest.subject().map(|subject| (subject.len(), subject.starts_with("\nx"))),
        Some((1_048_565, true))
    );
    assert_eq!(bytes(1024 * 1024 + 1).err(), Some(ClaimsError::TooLong));
}

#[test]
fn claims_are_kept_once() {
    let json = r#"{"iss":"https://as.example/","sub":"alice","aud":["a","b"],"scp":["x","y"]}"#;
    assert_eq!(parse(json).unwrap().weight(), json.len() + 4 * 8);
    assert!(size_of::<Claims>() <= 192, "{}", size_of::<Claims>());
}

#[test]
fn every_claim_is_found_under_its_name() {
    let json = r#"{"iss":"i","sub":"s","aud":"a","exp":3,"nbf":2,"iat":1,"jti":"j","sid":"d","cid":"c1","client_id":"c2",
        "azp":"c3","appid":"c4","cnf":{"kid":"k"},"token_use":"u","token_type":"t","typ":"p"}"#;
    let claims = parse(json).unwrap();
    let texts = [claims.issuer(), claims.subject(), claims.audiences().next(), claims.id(), claims.session()];
    assert_eq!(texts, ["i", "s", "a", "j", "d"].map(Some));
    let clients = ClientClaim::ALL.map(|claim| (claim.name(), claims.client(claim)));
    assert_eq!(
        clients,
        [("cid", "c1"), ("client_id", "c2"), ("azp", "c3"), ("appid", "c4")]
            .map(|(name, value)| (name, Some(value)))
    );
    let kinds = [KindClaim::TokenUse, KindClaim::TokenType, KindClaim::Typ].map(|kind| claims.kind(kind));
    assert_eq!(kinds, ["u", "t", "p"].map(Some));
    let dates = [claims.issued_at(), claims.not_before(), claims.expires()];
    assert_eq!(dates, [1, 2, 3].map(|secs| Some(UnixTime::from_secs(secs))));
    assert_eq!(claims.confirmation(), Some(&Confirmation::Unknown));
    assert!(!claims.has_events() && !claims.has_nonce() && !claims.has_id_token_hash());
    assert_eq!(claims.as_json(), json);
    assert_eq!(claims.deserialize::<serde_json::Value>().unwrap()["sub"], "s");
    assert_eq!(format!("{claims:?}"), r#"Claims { issuer: Some("i"), id: Some("j"), .. }"#);
}

#[test]
fn a_pointer_leads_to_members_and_elements_and_nowhere_else() {
    let json = br#"{"list":[10,[20,{"a/b":30,"c~d":40}]],"":{"":50},"object":{"0":60}}"#;
    let claims = Claims::parse(json).unwrap();
    let found = |pointer: &str| claims.get(pointer).map(|value| value.to_string());
    for (pointer, value) in [
        ("/list/0", "10"),
        ("/list/1/0", "20"),
        ("/list/1/1/a~1b", "30"),
        ("/list/1/1/c~0d", "40"),
        ("//", "50"),
        ("/object/0", "60"),
    ] {
        assert_eq!(found(pointer).as_deref(), Some(value), "{pointer}");
    }
    for pointer in [
        "/list/2",
        "/list/00",
        "/list/01",
        "/list/-",
        "/list/x",
        "/list/+1",
        "/list/",
        "/list/0/0",
        "/none",
        "/object/00",
    ] {
        assert_eq!(found(pointer), None, "{pointer}");
    }
}
