//! HTTP/2: the same rules as on HTTP/1, gRPC's own way of refusing, and limits that are said aloud.

use crate::backend::Backend;
use crate::harness::{Gateway, before, gateway};
use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, Method, Request, Response};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PATIENCE: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug)]
struct Answer {
    head: Response<()>,
    /// Whether nothing followed the head.
    ends_with_head: bool,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
}

impl Answer {
    fn field(&self, name: &str) -> Option<&str> {
        self.head.headers().get(name).map(|value| value.to_str().unwrap())
    }
}

/// A caller that speaks HTTP/2 by prior knowledge.
struct Caller(SendRequest<Bytes>);

impl Caller {
    async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap()).await
    }

    async fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let (send, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        Self(send)
    }

    async fn ask(&mut self, request: Request<()>, body: Option<&[u8]>) -> Result<Answer, h2::Error> {
        let asking = async {
            let mut send = self.0.clone().ready().await?;
            let (answer, mut stream) = send.send_request(request, body.is_none())?;
            if let Some(body) = body {
                // The other side may have answered already, and want no more.
                let _ = stream.send_data(Bytes::copy_from_slice(body), true);
            }
            let (head, mut stream) = answer.await?.into_parts();
            let mut answer = Answer {
                head: Response::from_parts(head, ()),
                ends_with_head: stream.is_end_stream(),
                body: Vec::new(),
                trailers: None,
            };
            while let Some(chunk) = stream.data().await {
                let chunk = chunk?;
                let _ = stream.flow_control().release_capacity(chunk.len());
                answer.body.extend_from_slice(&chunk);
            }
            answer.trailers = stream.trailers().await?;
            Ok(answer)
        };
        tokio::time::timeout(PATIENCE, asking).await.expect("an answer in time")
    }
}

fn request(method: Method, path: &str, fields: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::builder().method(method).uri(format!("http://api.example.com{path}"));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

pub(crate) async fn get(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    scheme: &str,
    path: &str,
) -> (u16, Vec<u8>) {
    let request = Request::builder().uri(format!("{scheme}://api.example.com{path}")).body(()).unwrap();
    let answer = Caller::over(stream).await.ask(request, None).await.unwrap();
    (answer.head.status().as_u16(), answer.body)
}

#[tokio::test]
async fn one_connection_carries_many_requests_to_an_http1_upstream() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let token = format!("Bearer {}", gateway.token());
    let mut caller = Caller::connect(gateway.address()).await;
    for path in ["/token/a%20b?c=d", "/token/second"] {
        let fields = [
            ("authorization", &*token),
            ("cookie", "a=b"),
            ("x.original.url", "/admin"),
            ("cookie", "c=d"),
            ("x-auth-request-user", "root"),
            ("x_auth_request_user", "root"),
        ];
        let answer = caller.ask(request(Method::GET, path, &fields), None).await.unwrap();
        assert_eq!(answer.head.status(), 200);
        assert!(answer.field("x-request-id").is_some());
        let came = backend.last();
        assert_eq!(came.target(), path);
        assert_eq!(came.fields("host"), ["api.example.com"]);
        assert_eq!(came.fields("cookie"), ["a=b; c=d"], "RFC 9113 section 8.2.3");
        assert_eq!(came.field("x.original.url"), None);
        assert_eq!(came.fields("x-auth-request-user"), ["alice"]);
        assert!(!came.head.contains("root"));
        assert_eq!(came.field("authorization"), None);
    }
    let echoed = caller.ask(request(Method::POST, "/public/echo", &[]), Some(b"hello")).await.unwrap();
    assert_eq!(echoed.body, b"hello");
    assert_eq!(backend.last().fields("transfer-encoding"), ["chunked"]);
    let sized = request(Method::POST, "/public/echo", &[("content-length", "5")]);
    assert_eq!(caller.ask(sized, Some(b"hello")).await.unwrap().body, b"hello");
    assert_eq!(
        (backend.last().fields("content-length"), backend.last().fields("transfer-encoding")),
        (vec!["5"], vec![])
    );
}

#[tokio::test]
async fn a_body_that_ends_in_an_empty_frame_ends_once_at_an_http1_upstream() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let mut caller = Caller::connect(gateway.address()).await;
    for (method, frames) in [
        (Method::POST, &[""][..]),
        (Method::GET, &[""]),
        (Method::POST, &["", "", ""]),
        (Method::POST, &["abc", ""]),
        (Method::POST, &["", "abc", "", "defg"]),
        (Method::POST, &["abc", "", "defg", ""]),
    ] {
        let mut send = caller.0.clone().ready().await.unwrap();
        let (answer, mut stream) = send.send_request(request(method, "/public/echo", &[]), false).unwrap();
        for (at, frame) in frames.iter().enumerate() {
            stream.send_data(Bytes::from_static(frame.as_bytes()), at + 1 == frames.len()).unwrap();
            // So that each is read by itself.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let answer = tokio::time::timeout(PATIENCE, answer).await.expect("an answer in time").unwrap();
        assert_eq!(answer.status(), 200, "{frames:?}");
        let mut echoed = answer.into_body();
        while let Some(chunk) = echoed.data().await {
            chunk.unwrap();
        }
        assert_eq!(backend.last().body, frames.concat().as_bytes(), "{frames:?}");
        // Whatever were left over would stand before the next request.
        let next = caller.ask(request(Method::GET, "/public/next", &[]), None).await.unwrap();
        assert_eq!(next.head.status(), 200, "{frames:?}");
        assert!(backend.last().head.starts_with("GET /public/next HTTP/1.1\r\n"), "{:?}", backend.last());
    }
    assert_eq!(backend.connections(), 1, "the connection was fit for the next request each time");
}

#[tokio::test]
async fn the_same_is_refused_as_on_http1() {
    let backend = Backend::start().await;
    let gateway = before(&backend).settle(|settings| settings.limits.max_body = Some(1000)).start().await;
    let mut caller = Caller::connect(gateway.address()).await;
    for (method, path, fields, body, status) in [
        (Method::GET, "/orders/1", &[][..], None, 401),
        (
            Method::GET,
            "/orders/1",
            &[("authorization", "Bearer a"), ("authorization", "Bearer a")],
            None,
            400,
        ),
        (Method::GET, "/nowhere", &[], None, 404),
        (Method::DELETE, "/orders/1", &[], None, 405),
        (Method::TRACE, "/public/a", &[], None, 405),
        (Method::GET, "/public/..%2forders/1", &[], None, 400),
        (Method::GET, "/public//a", &[], None, 400),
        (Method::GET, "/public/a", &[("host", "other.example.com")], None, 400),
        (Method::POST, "/public/echo", &[], Some(&[b'x'; 1500][..]), 413),
        (Method::POST, "/orders/1", &[], Some(&[b'x'; 500]), 401),
    ] {
        let answer = caller.ask(request(method.clone(), path, fields), body).await.unwrap();
        assert_eq!(answer.head.status(), status, "{method} {path} {fields:?}");
    }
    let many: Vec<(String, String)> = (0..120).map(|n| (format!("x-{n}"), "y".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (&**name, &**value)).collect();
    let answer = caller.ask(request(Method::GET, "/public/a", &many), None).await.unwrap();
    assert_eq!(answer.head.status(), 431);
    let twice = request(Method::POST, "/public/echo", &[("content-length", "1"), ("content-length", "1")]);
    let answer = caller.ask(twice, Some(b"x")).await;
    assert!(answer.as_ref().map_or(true, |answer| answer.head.status() == 400), "{answer:?}");
    assert!(backend.requests().is_empty(), "{:?}", backend.requests());
    let after = caller.ask(request(Method::GET, "/public/a", &[]), None).await.unwrap();
    assert_eq!(after.head.status(), 200, "the connection goes on");
}

#[tokio::test]
async fn a_host_is_needed_and_one_only() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let mut caller = Caller::connect(gateway.address()).await;
    for authority in ["a..b", "a_b:99999", "a,b"] {
        let uri =
            http::Uri::builder().scheme("http").authority(authority).path_and_query("/public/a").build();
        let Ok(uri) = uri else { continue };
        let answer = caller.ask(Request::builder().uri(uri).body(()).unwrap(), None).await;
        assert!(answer.map_or(true, |answer| answer.head.status() == 400), "{authority}");
    }
    assert!(backend.requests().is_empty());
}

#[tokio::test]
async fn grpc_is_refused_in_its_own_way() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let mut caller = Caller::connect(gateway.address()).await;
    let grpc = [("content-type", "application/grpc"), ("te", "trailers")];
    for (path, status) in [("/orders/1", "16"), ("/nowhere", "12"), ("/public/break", "14")] {
        let answer = caller.ask(request(Method::POST, path, &grpc), Some(b"\0\0\0\0\0")).await.unwrap();
        assert_eq!(answer.head.status(), 200, "{path}");
        assert_eq!(answer.field("grpc-status"), Some(status), "{path}");
        assert_eq!(answer.field("content-type"), Some("application/grpc"));
        assert!(answer.ends_with_head, "trailers only: {answer:?}");
    }
}

/// An upstream that speaks HTTP/2 by prior knowledge, and answers as gRPC does. It sends back what it saw.
async fn grpc_backend() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let Ok(mut connection) = h2::server::handshake(stream).await else { return };
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    tokio::spawn(async move {
                        let (head, mut body) = request.into_parts();
                        let mut message = Vec::new();
                        while let Some(Ok(chunk)) = body.data().await {
                            let _ = body.flow_control().release_capacity(chunk.len());
                            message.extend_from_slice(&chunk);
                        }
                        let mut answer = Response::builder().header("content-type", "application/grpc");
                        answer = answer.header("x-seen-uri", head.uri.to_string());
                        for (name, value) in &head.headers {
                            answer = answer.header(format!("x-seen-{name}"), value);
                        }
                        let mut stream = respond.send_response(answer.body(()).unwrap(), false).unwrap();
                        stream.send_data(message.into(), false).unwrap();
                        let mut trailers = HeaderMap::new();
                        trailers.insert("grpc-status", "0".parse().unwrap());
                        stream.send_trailers(trailers).unwrap();
                    });
                }
            });
        }
    });
    address
}

async fn before_grpc(backend: SocketAddr) -> Gateway {
    gateway(&format!(
        "
routes:
  - {{path: '/shop.Orders/{{method}}', methods: [POST], scopes: none}}
upstreams:
  api: {{addresses: ['{backend}'], protocol: http2}}
"
    ))
    .start()
    .await
}

#[tokio::test]
async fn grpc_passes_with_its_trailers() {
    let gateway = before_grpc(grpc_backend().await).await;
    let mut caller = Caller::connect(gateway.address()).await;
    let token = format!("Bearer {}", gateway.token());
    let fields = [
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("authorization", &*token),
        ("x-auth-request-user", "root"),
        ("grpc-timeout", "1S"),
    ];
    for message in [&b"\0\0\0\0\x02hi"[..], &[7; 200_000]] {
        let answer =
            caller.ask(request(Method::POST, "/shop.Orders/List", &fields), Some(message)).await.unwrap();
        assert_eq!(answer.head.status(), 200, "{answer:?}");
        assert_eq!(answer.body, message);
        assert_eq!(answer.trailers.as_ref().unwrap()["grpc-status"], "0");
        assert_eq!(answer.field("x-seen-te"), Some("trailers"));
        assert_eq!(answer.field("x-seen-grpc-timeout"), Some("1S"));
        assert_eq!(answer.field("x-seen-x-auth-request-user"), Some("alice"));
        assert_eq!(answer.field("x-seen-authorization"), None);
        assert_eq!(answer.field("x-seen-host"), None);
        assert_eq!(answer.field("x-seen-uri"), Some("http://api.example.com/shop.Orders/List"));
    }
}

#[tokio::test]
async fn the_scheme_is_that_of_the_way_to_the_upstream() {
    let gateway = before_grpc(grpc_backend().await).await;
    let mut caller = Caller::connect(gateway.address()).await;
    for scheme in ["http", "https", "ftp"] {
        let claimed = Request::post(format!("{scheme}://api.example.com/shop.Orders/List"))
            .header("authorization", format!("Bearer {}", gateway.token()));
        let answer = caller.ask(claimed.body(()).unwrap(), Some(b"hi")).await.unwrap();
        assert_eq!(
            answer.field("x-seen-uri"),
            Some("http://api.example.com/shop.Orders/List"),
            "{scheme}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn an_http1_caller_reaches_an_http2_upstream() {
    let gateway = before_grpc(grpc_backend().await).await;
    let head =
        format!("Authorization: Bearer {}\r\nConnection: x-private\r\nX-Private: 1\r\n", gateway.token());
    let head = format!(
        "POST /shop.Orders/List HTTP/1.1\r\nHost: api.example.com\r\n{head}Transfer-Encoding: chunked\r\n\r\n"
    );
    let answer = gateway.send(format!("{head}2\r\nhi\r\n0\r\n\r\n")).await;
    assert_eq!((answer.status, answer.text()), (200, "hi"));
    assert_eq!(answer.field("x-seen-x-private"), None);
    assert_eq!(answer.field("x-seen-transfer-encoding"), None);
    assert_eq!(answer.field("x-seen-x-auth-request-user"), Some("alice"));
    // An answer from there comes in chunks, which an HTTP/1.0 caller does not know.
    let head = format!("Authorization: Bearer {}\r\n", gateway.token());
    let old = format!("POST /shop.Orders/List HTTP/1.0\r\nHost: api.example.com\r\n{head}\r\n");
    assert_eq!(gateway.send(old).await.code(), "version_unsupported");
}

#[tokio::test]
async fn limits_are_said_aloud() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut header = [0; 9];
    stream.read_exact(&mut header).await.unwrap();
    assert_eq!(header[3], 4, "SETTINGS");
    let mut payload = vec![0; usize::from(header[1]) << 8 | usize::from(header[2])];
    stream.read_exact(&mut payload).await.unwrap();
    let setting = |id: u16| {
        let found = payload.chunks(6).find(|entry| entry[..2] == id.to_be_bytes());
        found.map(|entry| u32::from_be_bytes(entry[2..].try_into().unwrap()))
    };
    assert_eq!(setting(3), Some(128), "SETTINGS_MAX_CONCURRENT_STREAMS");
    assert_eq!(setting(6), Some(32 * 1024), "SETTINGS_MAX_HEADER_LIST_SIZE");
}

#[tokio::test]
async fn a_header_block_that_drips_is_cut_off() {
    let backend = Backend::start().await;
    let gateway = before(&backend).settle(|settings| settings.limits.header_timeout = Duration::from_secs(1));
    let gateway = gateway.start().await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = b"\0\0\0\x04\0\0\0\0\0";
    let headers = b"\0\0\x01\x01\0\0\0\0\x01\x82";
    let continuation = b"\0\0\x01\x09\0\0\0\0\x01\x84";
    let starts: [Vec<u8>; 4] = [
        preface[..10].to_vec(),
        preface.to_vec(),
        [&preface[..], settings, headers].concat(),
        [&preface[..], settings, &headers[..5]].concat(),
    ];
    for (which, start) in starts.iter().enumerate() {
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        stream.write_all(start).await.unwrap();
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            if which == 2 {
                let _ = stream.write_all(continuation).await;
            }
        }
        let end = async {
            let mut chunk = [0; 256];
            while !matches!(stream.read(&mut chunk).await, Ok(0) | Err(_)) {}
        };
        assert!(tokio::time::timeout(Duration::from_secs(2), end).await.is_ok(), "case {which}");
    }
    // A connection that is merely idle may stay.
    let mut idle = Caller::connect(gateway.address()).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(idle.ask(request(Method::GET, "/public/a", &[]), None).await.unwrap().head.status(), 200);
}

#[tokio::test]
async fn shutting_down_lets_streams_end() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let mut caller = Caller::connect(gateway.address()).await;
    let mut again = Caller(caller.0.clone());
    let asking =
        tokio::spawn(async move { again.ask(request(Method::GET, "/public/slow", &[]), None).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let stopping = tokio::spawn(gateway.running.stop());
    assert_eq!(asking.await.unwrap().unwrap().body, b"slow");
    tokio::time::timeout(Duration::from_secs(5), stopping).await.unwrap().unwrap();
    assert!(caller.ask(request(Method::GET, "/public/a", &[]), None).await.is_err());
}
