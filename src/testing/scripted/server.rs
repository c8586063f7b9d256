//! The scripted issuer's side of the wire.

use super::{Behaviour, Recorded, Resource, Shared};
use crate::token::Fingerprint;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Sleep;

/// Accepts connections until it is dropped, and all of them with it.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(connection(stream, shared.clone()))),
                // Too many open files, for example: it may pass.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let reset = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request| answer(request, shared.clone(), reset.clone()));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // An error is what was asked for, or the client's doing.
    let _ = Pin::new(&mut connection).await;
    if reset.load(Ordering::SeqCst) {
        // A socket that does not linger is closed with a reset.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

/// Answers as it is told. An error ends the connection without an answer.
async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    reset: Arc<AtomicBool>,
) -> io::Result<Response<Script>> {
    let resource = shared.resource(request.uri().path());
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    let expected = if resource == Some(Resource::Introspection) { Method::POST } else { Method::GET };
    let Some(resource) = resource.filter(|_| head.method == expected) else {
        return Ok(response(StatusCode::NOT_FOUND, "text/plain", Script::whole("there is nothing here")));
    };
    let behaviour = {
        let mut state = shared.state();
        state.recorded.push((resource, Recorded { headers: head.headers, body: body.clone() }));
        state.script.get(&resource).cloned().unwrap_or(Behaviour::Normal)
    };
    match &behaviour {
        Behaviour::Slow(pause) => tokio::time::sleep(*pause).await,
        Behaviour::Hang => std::future::pending().await,
        Behaviour::Reset | Behaviour::Close => {
            reset.store(behaviour == Behaviour::Reset, Ordering::SeqCst);
            return Err(io::Error::other("as scripted"));
        }
        _ => {}
    }
    let sound = match resource {
        Resource::Introspection => Value::Object(introspected(&shared, &body)).to_string(),
        _ => shared.document(resource),
    };
    Ok(perform(&behaviour, sound, &shared))
}

/// What is said about the token in a form.
fn introspected(shared: &Shared, form: &str) -> Map<String, Value> {
    let mut tokens = form.split('&').filter_map(|pair| pair.strip_prefix("token="));
    let found = match (tokens.next(), tokens.next()) {
        (Some(token), None) => shared.state().active.get(&decode(token)).cloned(),
        _ => None,
    };
    let mut answer = Map::new();
    answer.insert("active".into(), found.is_some().into());
    answer.extend(found.unwrap_or_default());
    answer
}

fn decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let value = digit().zip(digit()).and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
                value.unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn perform(behaviour: &Behaviour, sound: String, shared: &Shared) -> Response<Script> {
    let json = "application/json";
    let answer = |media_type, script| response(behaviour.status(), media_type, script);
    match behaviour {
        Behaviour::Status(_) => answer(json, Script::whole("{}")),
        Behaviour::Busy(seconds) => {
            with(answer(json, Script::whole("{}")), header::RETRY_AFTER, &seconds.to_string())
        }
        Behaviour::Refuse(error) => answer(json, Script::whole(json!({ "error": error }).to_string())),
        Behaviour::Html => answer("text/html", Script::whole("<!doctype html><title>Maintenance</title>")),
        Behaviour::Truncated => {
            let length = sound.len();
            let half = sound.chars().take(length / 2).collect::<String>();
            let script = Script { frames: [half.into()].into(), broken: true, ..Script::default() };
            with(answer(json, script), header::CONTENT_LENGTH, &length.to_string())
        }
        Behaviour::Huge => {
            let blanks = std::iter::repeat_n(Bytes::from_static(&[b' '; 16 * 1024]), 64);
            let frames = std::iter::once(sound.into()).chain(blanks).collect();
            answer(json, Script { frames, ..Script::default() })
        }
        Behaviour::Trickle => {
            let frames = sound.into_bytes().into_iter().map(|byte| Bytes::copy_from_slice(&[byte])).collect();
            answer(json, Script { frames, pause: Some(TRICKLE), ..Script::default() })
        }
        Behaviour::Compressed => with(answer(json, Script::whole(sound)), header::CONTENT_ENCODING, "gzip"),
        Behaviour::Empty => answer(json, Script::default()),
        Behaviour::OthersJson => {
            answer(json, Script::whole(r#"{"status":"ok","items":[{"id":1}],"active":"yes"}"#))
        }
        Behaviour::Garbage => {
            let noise: Vec<u8> =
                (0_u8..=255).flat_map(|n| *Fingerprint::of(&n.to_string()).as_bytes()).collect();
            answer(json, Script::whole(noise))
        }
        Behaviour::Redirect(location) => with(answer(json, Script::default()), header::LOCATION, location),
        Behaviour::Body(media_type, body) => answer(media_type, Script::whole(body.clone())),
        Behaviour::Signed(client) => {
            answer("application/token-introspection+jwt", Script::whole(signed(shared, client, &sound)))
        }
        Behaviour::Normal
        | Behaviour::Slow(_)
        | Behaviour::Stale
        | Behaviour::Hang
        | Behaviour::Reset
        | Behaviour::Close => answer(json, Script::whole(sound)),
    }
}

/// RFC 9701 section 5.
fn signed(shared: &Shared, client: &str, sound: &str) -> String {
    let answer: Value = serde_json::from_str(sound).unwrap_or_default();
    let token = shared
        .issuer
        .token()
        .typ("token-introspection+jwt")
        .audience(client)
        .claim("token_introspection", answer);
    token.without("exp").without("jti").sign()
}

fn response(status: StatusCode, media_type: &str, script: Script) -> Response<Script> {
    let mut response = Response::new(script);
    *response.status_mut() = status;
    with(response, header::CONTENT_TYPE, media_type)
}

/// Adds a header; a value that can be none is left out.
fn with(mut response: Response<Script>, name: HeaderName, value: &str) -> Response<Script> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

const TRICKLE: Duration = Duration::from_millis(50);

/// A body that comes as it is told.
#[derive(Default)]
struct Script {
    frames: VecDeque<Bytes>,
    /// Before each frame.
    pause: Option<Duration>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whether it breaks off after the last frame.
    broken: bool,
}

impl Script {
    fn whole(body: impl Into<Bytes>) -> Self {
        Self { frames: [body.into()].into(), ..Self::default() }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(pause) = self.pause {
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
            ready!(pin!(sleep).poll(cx));
            self.sleep = None;
        }
        Poll::Ready(match self.frames.pop_front() {
            Some(frame) => Some(Ok(Frame::data(frame))),
            None if self.broken => Some(Err(io::Error::other("as scripted"))),
            None => None,
        })
    }
}
