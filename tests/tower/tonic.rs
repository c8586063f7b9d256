//! A tonic service behind the layer, over a socket: its client sees gRPC's own statuses.

use crate::house::House;
use bytes::{Buf, BufMut, Bytes};
use http_body_util::Full;
use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::net::TcpListener;
use tollgate::policy::Principal;
use tollgate::tower::TollgateLayer;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{NamedService, UnaryService};
use tonic::transport::{Channel, Server, server::TcpIncoming};
use tonic::{Code, Request, Response, Status};
use tower::Service;

/// What a code generator would write for `service Echo { rpc Say (Bytes) returns (Bytes); }`, messages left as bytes.
#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "tollgate.Echo";
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move { Ok(tonic::server::Grpc::new(Raw).unary(Say, request).await) })
    }
}

struct Say;

impl UnaryService<Bytes> for Say {
    type Response = Bytes;
    type Future = Ready<Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let caller = request.extensions().get::<Principal>().unwrap().subject().unwrap().to_owned();
        ready(Ok(Response::new([caller.as_bytes(), b" says ", request.get_ref()].concat().into())))
    }
}

#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

async fn serve(house: &House) -> SocketAddr {
    let layer = TollgateLayer::new(house.gate.clone()).with_body(|bytes| Body::new(Full::new(bytes)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().layer(layer).add_service(Echo);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

async fn say(address: SocketAddr, path: &'static str, token: Option<String>) -> Result<Bytes, Status> {
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let mut request = Request::new(Bytes::from_static(b"hello"));
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let path = http::uri::PathAndQuery::from_static(path);
    client.unary(request, path, Raw).await.map(Response::into_inner)
}

#[tokio::test]
async fn calls_pass_and_are_refused_in_grpc_s_own_way() {
    let house = House::new().await;
    let address = serve(&house).await;
    let say = |path, token| say(address, path, token);
    let (path, elsewhere) = ("/tollgate.Echo/Say", "/other.Echo/Say");

    assert_eq!(say(path, Some(house.token().sign())).await.unwrap(), "alice says hello");
    let missing = say(path, None).await.unwrap_err();
    assert_eq!((missing.code(), missing.message()), (Code::Unauthenticated, "an access token is needed"));
    assert!(missing.metadata().get("www-authenticate").is_some());
    let scopeless = say(path, Some(house.token().without("scope").sign())).await.unwrap_err();
    assert_eq!((scopeless.code(), scopeless.message()), (Code::PermissionDenied, "the token lacks a scope"));
    let expired = say(path, Some(house.token().claim("exp", 1).sign())).await.unwrap_err();
    assert_eq!(expired.code(), Code::Unauthenticated);
    assert_eq!(say(elsewhere, Some(house.token().sign())).await.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn an_outage_is_unavailable() {
    let (house, held) = House::held();
    held.close();
    let status =
        say(serve(&house).await, "/tollgate.Echo/Say", Some(house.token().sign())).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
}
