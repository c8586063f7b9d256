use super::super::connection::Account;
use super::*;
use crate::gate::{Gate, Verdict};
use crate::policy::{
    Decision, IdentityHeaders, IdentitySource, Policy, RequestHead, Requirement, Route, RouteTable, Template,
};

fn permit(identity: IdentityHeaders) -> Permit {
    let mut routes = RouteTable::builder();
    routes.add(Route::new(Template::parse("/{*all}").unwrap(), Requirement::Public)).unwrap();
    let gate = Gate::builder(Policy::new(routes.build(), []).with_identity(identity)).build();
    let headers = HeaderMap::new();
    match gate.decide_now(&RequestHead::new(&Method::GET, b"/a", &headers)) {
        Verdict::Decided(Decision::Allow(permit)) => permit,
        other => panic!("{other:?}"),
    }
}

fn caller(trusted: bool) -> Caller {
    let address = std::net::IpAddr::from([10, 1, 2, 3]);
    Caller {
        address,
        forwarded_for: HeaderValue::from_static("10.1.2.3"),
        trusted,
        tls: true,
        asks_ahead: false.into(),
        account: Account::default(),
    }
}

struct Case {
    permit: Permit,
    caller: Caller,
    authorization: bool,
    websocket: bool,
    http2: bool,
    no_body: bool,
}

fn case() -> Case {
    let permit = permit(IdentityHeaders::x_auth_request());
    Case {
        permit,
        caller: caller(false),
        authorization: false,
        websocket: false,
        http2: false,
        no_body: true,
    }
}

impl Case {
    fn dress(&self, method: &str, fields: &[(&'static str, &str)]) -> RequestHeader {
        let mut came = RequestHeader::build(method, b"/a", None).unwrap();
        came.set_version(Version::HTTP_11);
        came.append_header("Host", "api.example.com").unwrap();
        for (name, value) in fields {
            came.append_header(*name, *value).unwrap();
        }
        let (id_name, id) = (HeaderName::from_static("x-request-id"), HeaderValue::from_static("ours"));
        let passage = Passage {
            permit: &self.permit,
            caller: &self.caller,
            came: &came,
            authority: "api.example.com",
            id: (&id_name, &id),
            forward_authorization: self.authorization,
            websocket: self.websocket,
            http2: self.http2,
            no_body: self.no_body && anticipates_content(&came.method),
            host: None,
        };
        let mut head = came.clone();
        passage.dress(&mut head).unwrap();
        head
    }

    /// The values that arrive under a name.
    fn arrives(&self, fields: &[(&'static str, &str)], name: &str) -> Vec<String> {
        let head = self.dress("GET", fields);
        head.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_plain_request_gets_what_is_ours_and_keeps_the_rest() {
    let head = case().dress("GET", &[("Accept", "*/*"), ("Cookie", "a=b"), ("X-Request-Id", "theirs")]);
    let mut fields: Vec<_> =
        head.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    fields.sort();
    let expected = [
        "accept: */*",
        "cookie: a=b",
        "host: api.example.com",
        "x-forwarded-for: 10.1.2.3",
        "x-forwarded-host: api.example.com",
        "x-forwarded-proto: https",
        "x-request-id: ours",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn identity_never_comes_from_the_caller() {
    let identity =
        IdentityHeaders::x_auth_request().with("X-Tenant", IdentitySource::Claim("tenant".into())).unwrap();
    let case = Case { permit: permit(identity), caller: caller(true), ..case() };
    for name in [
        "X-Auth-Request-User",
        "x-auth-request-user",
        "X_Auth_Request_User",
        "X-AUTH_REQUEST.USER",
        "X-Auth-Request-Scopes",
        "X-Auth-Request-Client-Id",
        "X-Auth-Request-Issuer",
        "X-Auth-Request-Email",
        "x~auth!request*groups",
        "x.tenant",
        "X_TENANT",
        "X~Tenant",
        "x!tenant",
        "X'Tenant",
        "X-Auth-Degraded",
        "any_name",
        "X-HTTP-Method-Override",
        "X-Method-Override",
        "X-Original-URL",
        "X-Original-Method",
        "X-Rewrite-Url",
    ] {
        let head = case.dress("GET", &[(name, "root"), (name, "again")]);
        assert!(!head.headers.values().any(|value| value == "root" || value == "again"), "{name}");
    }
}

#[test]
fn the_token_stays_behind_unless_the_route_passes_it_on() {
    let fields = [("Authorization", "Bearer secret"), ("Proxy-Authorization", "Basic secret")];
    assert!(
        !case()
            .dress("GET", &fields)
            .headers
            .values()
            .any(|value| value.to_str().unwrap().contains("secret"))
    );
    let passing = Case { authorization: true, ..case() };
    assert_eq!(passing.arrives(&fields, "authorization"), ["Bearer secret"]);
    assert!(passing.arrives(&fields, "proxy-authorization").is_empty());
}

#[test]
fn what_connection_names_goes_and_ours_stays() {
    let fields = [
        ("Connection", "close, X-Private, x-request-id, X-Forwarded-For, X-Auth-Request-User"),
        ("X-Private", "a"),
        ("Keep-Alive", "5"),
        ("TE", "trailers"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "x"),
        ("Proxy-Connection", "close"),
        ("Proxy", "evil"),
        ("Trailer", "x"),
    ];
    let head = case().dress("GET", &fields);
    for name in [
        "connection",
        "x-private",
        "keep-alive",
        "te",
        "upgrade",
        "http2-settings",
        "proxy-connection",
        "proxy",
        "trailer",
    ] {
        assert!(!head.headers.contains_key(name), "{name}");
    }
    assert_eq!(head.headers["x-request-id"], "ours");
    assert_eq!(head.headers["x-forwarded-for"], "10.1.2.3");
}

#[test]
fn forwarding_fields_are_believed_of_trusted_proxies_alone() {
    let fields = [
        ("X-Forwarded-For", "1.1.1.1"),
        ("X-Forwarded-Proto", "gopher"),
        ("X-Forwarded-Host", "evil"),
        ("X-Forwarded-Prefix", "/evil"),
        ("X-Forwarded.For", "evil"),
        ("Forwarded", "for=1.1.1.1"),
        ("X-Real-IP", "1.1.1.1"),
        ("True-Client-IP", "1.1.1.1"),
    ];
    let (stranger, proxy) = (case(), Case { caller: caller(true), ..case() });
    let arrives = |name: &str| (stranger.arrives(&fields, name), proxy.arrives(&fields, name));
    let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    assert_eq!(arrives("x-forwarded-for"), (list(&["10.1.2.3"]), list(&["1.1.1.1, 10.1.2.3"])));
    assert_eq!(arrives("x-forwarded-proto"), (list(&["https"]), list(&["gopher"])));
    assert_eq!(arrives("x-forwarded-host"), (list(&["api.example.com"]), list(&["evil"])));
    assert_eq!(arrives("x-forwarded-prefix"), (list(&[]), list(&["/evil"])));
    assert_eq!(arrives("x-forwarded.for").0, list(&[]));
    assert_eq!(arrives("forwarded"), (list(&[]), list(&["for=1.1.1.1"])));
    assert_eq!(arrives("x-real-ip"), (list(&[]), list(&["1.1.1.1"])));
    assert_eq!(arrives("true-client-ip").0, list(&[]));
    let chain = [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "2.2.2.2")];
    assert_eq!(proxy.arrives(&chain, "x-forwarded-for"), ["1.1.1.1, 2.2.2.2, 10.1.2.3"]);
}

#[test]
fn the_connection_s_fields_are_ours() {
    let websocket = Case { websocket: true, ..case() };
    let head = websocket
        .dress("GET", &[("Connection", "Upgrade"), ("Upgrade", "WebSocket"), ("Sec-WebSocket-Key", "a")]);
    assert_eq!(
        (&head.headers["connection"], &head.headers["upgrade"]),
        (&"Upgrade".parse().unwrap(), &"websocket".parse().unwrap())
    );
    assert_eq!(head.headers["sec-websocket-key"], "a");
    let http2 = Case { http2: true, ..case() };
    assert_eq!(http2.arrives(&[("TE", "gzip, trailers")], "te"), ["trailers"]);
    assert!(http2.arrives(&[("TE", "gzip")], "te").is_empty());
}

#[test]
fn there_is_one_framing_field() {
    let with_body = Case { no_body: false, ..case() };
    let head = with_body.dress("POST", &[("Transfer-Encoding", "Chunked")]);
    assert_eq!(head.headers["transfer-encoding"], "chunked");
    let head = with_body.dress("POST", &[("Content-Length", "5")]);
    assert_eq!(head.headers["content-length"], "5");
    assert_eq!(case().dress("POST", &[]).headers["content-length"], "0");
    assert!(!case().dress("GET", &[]).headers.contains_key("content-length"));
}

#[test]
fn an_upgrade_counts_where_connection_names_it() {
    let asks = |fields: &[(&'static str, &str)]| {
        let mut head = RequestHeader::build("GET", b"/", None).unwrap();
        head.set_version(Version::HTTP_11);
        for (name, value) in fields {
            head.append_header(*name, *value).unwrap();
        }
        asks_for_websocket(&head)
    };
    let upgrade = ("Upgrade", "websocket");
    assert!(asks(&[upgrade, ("Connection", "Upgrade")]));
    assert!(asks(&[upgrade, ("Connection", "keep-alive"), ("Connection", "x, upgrade")]));
    for fields in [&[upgrade][..], &[upgrade, ("Connection", "close")], &[("Connection", "Upgrade")]] {
        assert!(!asks(fields), "{fields:?}");
    }
    assert!(!asks(&[upgrade, upgrade, ("Connection", "Upgrade")]));
}
