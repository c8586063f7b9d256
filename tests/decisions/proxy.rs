//! The door on pingora, over sockets: a caller, the gateway, and an API that tells what it sees.

use crate::doors::{Door, Exchange, Seen};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tollgate::config::{self, Environment};
use tollgate::gate::Gate;
use tollgate::policy::Reason;
use tollgate::proxy::{Running, Server, Setup};

/// A gateway, which serves until it is dropped.
pub struct Proxy {
    running: Running,
}

impl Door for Proxy {
    const NAME: &'static str = "gateway";

    async fn open(policy: &str, gate: impl AsyncFnOnce(&str) -> Arc<Gate>) -> Self {
        let policy = format!(
            "{policy}\ngateway: {{listen: [{{address: 127.0.0.1:0}}]}}\nupstreams: {{api: {{addresses: [\"{}\"]}}}}\n",
            api().await
        );
        let gate = gate(&policy).await;
        let plan = config::parse("policy", &policy, &Environment::empty()).unwrap();
        let setup = Setup { gateway: plan.gateway, upstreams: plan.upstreams, gate, metrics: None };
        Self { running: Server::bind(setup).await.unwrap().start() }
    }

    async fn carry(&self, exchange: &Exchange) -> Option<Seen> {
        let mut message = format!("{} {} HTTP/1.1\r\n", exchange.method, exchange.target).into_bytes();
        for (name, value) in &exchange.headers {
            message.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        message.extend(b"content-length: 0\r\nconnection: close\r\n\r\n");
        let mut stream = TcpStream::connect(self.running.addresses()[0]).await.unwrap();
        stream.write_all(&message).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let (status, headers, body) = parse(&answer);
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let judged = |code: &str| Reason::ALL.iter().any(|reason| reason.code() == code);
        if problem["code"].as_str().is_some_and(|code| !judged(code)) {
            // The gateway's own refusal, of what is not even a request.
            assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
            return None;
        }
        // The API's answer to HEAD has no body, but a field that tells the same.
        let forwarded = headers.get(FORWARDED).map(|fields| fields_of(fields.as_bytes()));
        Some(Seen { status, headers, body, forwarded })
    }
}

fn parse(answer: &[u8]) -> (StatusCode, HeaderMap, Bytes) {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head");
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let field = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
    };
    let mut headers = HeaderMap::new();
    lines.map(field).for_each(|(name, value)| {
        headers.append(name, value);
    });
    (status, headers, Bytes::copy_from_slice(&answer[end + 4..]))
}

/// The field by which the API tells what it saw, as a JSON array of names and values.
const FORWARDED: &str = "x-seen";

fn fields_of(json: &[u8]) -> HeaderMap {
    let fields: Vec<(String, String)> = serde_json::from_slice(json).unwrap();
    let field =
        |(name, value): (String, String)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    let mut headers = HeaderMap::new();
    fields.into_iter().map(field).for_each(|(name, value): (_, HeaderValue)| {
        headers.append(name, value);
    });
    headers
}

/// An API that is in order with everything.
async fn api() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = hyper::service::service_fn(tell);
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

async fn tell(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let fields = request.headers().iter();
    let fields: Vec<_> = fields.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    let mut response = Response::new(Full::default());
    let json = serde_json::to_string(&fields).unwrap();
    response.headers_mut().insert(FORWARDED, json.parse().unwrap());
    Ok(response)
}
