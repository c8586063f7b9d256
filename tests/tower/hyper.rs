//! A bare hyper service behind the layer, over a socket.

use crate::house::House;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tollgate::policy::Permit;
use tollgate::tower::TollgateLayer;
use tower::ServiceBuilder;

async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let permit: Permit = request.extensions().get::<Permit>().unwrap().clone();
    let caller = permit.principal().and_then(|principal| principal.subject()).unwrap_or("nobody").to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    Ok(Response::new(Full::from([caller.as_bytes(), b" says ", &body].concat())))
}

/// Serves one connection, and answers what is said on it.
async fn exchange(house: &House, message: String) -> String {
    let service = ServiceBuilder::new().layer(TollgateLayer::new(house.gate.clone())).service_fn(echo);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let http = hyper::server::conn::http1::Builder::new();
        http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await.unwrap();
    });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(message.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    server.await.unwrap();
    answer
}

#[tokio::test]
async fn requests_pass_and_are_refused() {
    let house = House::new().await;
    let post = |headers: &str| {
        format!(
            "POST /me HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\nContent-Length: 5\r\n{headers}\r\nhello"
        )
    };
    let allowed =
        exchange(&house, post(&format!("Authorization: Bearer {}\r\n", house.token().sign()))).await;
    assert!(allowed.starts_with("HTTP/1.1 200 ") && allowed.ends_with("alice says hello"), "{allowed}");
    let refused = exchange(&house, post("")).await;
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    assert!(refused.contains("www-authenticate: Bearer realm=\"orders\"\r\n"), "{refused}");
    assert!(refused.ends_with(r#""detail":"an access token is needed"}"#), "{refused}");
    let twice = format!("Authorization: Bearer {0}\r\nAuthorization: Bearer {0}\r\n", house.token().sign());
    assert!(exchange(&house, post(&twice)).await.starts_with("HTTP/1.1 400 "));
}
