//! Answers to callers: our own, written in whole; and the upstream's, cleaned of what was for us.

use super::door::caller_of;
use super::head::content_length;
use super::vet::{announced_length, nominated};
use super::{DRAIN_BYTES, DRAIN_TIME};
use crate::policy::Answer;
use http::header::{self, HeaderName};
use http::{HeaderValue, Method, StatusCode, Version};
use pingora_core::protocols::http::ServerSession;
use pingora_core::{Error, ErrorType, Result};
use pingora_http::ResponseHeader;
use pingora_proxy::Session;
use std::sync::atomic::Ordering;

/// Writes an answer of our own, and then reads what is left of the request's body, within bounds: so that the caller gets to
/// read the answer, and the next request on the connection is found where it begins.
///
/// If the body is longer than those bounds, or too slow, the connection ends (HTTP/1), or the stream (HTTP/2). It ends, too, if the
/// caller has asked for more already: hundreds of requests fit into one packet, and each answer would cost many times as much.
/// On HTTP/2, such a caller gets [short](shorten) answers.
pub(super) async fn answer(
    session: &mut Session,
    mut answer: Answer,
    id: Option<(&HeaderName, &HeaderValue)>,
) -> Result<()> {
    if session.is_http2() && caller_of(session).is_some_and(|caller| !caller.account.affords_whole_answer()) {
        shorten(&mut answer);
    }
    let (mut head, ()) = http::Response::new(()).into_parts();
    head.status = answer.status;
    head.headers = answer.headers;
    if let Some((name, id)) = id {
        head.headers.insert(name.clone(), id.clone());
    }
    let request = session.req_header();
    if request.method != Method::HEAD {
        head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(answer.body.len()));
    }
    // Made of parts it keeps no spelling of the names, which would cost more than all the rest of the answer.
    let head = Box::new(ResponseHeader::from(head));
    let short = announced_length(&request.headers).is_some_and(|length| length <= DRAIN_BYTES);
    // A caller that waits for 100 will not send its body now, or perhaps it will (RFC 9110 section 10.1.1).
    let waits = request.headers.contains_key(header::EXPECT);
    session.set_close_on_response_before_downstream_finish(!short || waits);
    if caller_of(session).is_some_and(|caller| caller.asks_ahead.load(Ordering::Relaxed)) {
        session.set_keepalive(None);
    }
    let ends = answer.body.is_empty();
    match &mut *session.downstream_session {
        // The end goes with the head: that is what makes a gRPC answer one of trailers only.
        ServerSession::H2(stream) => stream.write_response_header(head, ends)?,
        other => other.write_response_header(head).await?,
    }
    if ends {
        session.downstream_session.finish_body().await?;
    } else {
        session.downstream_session.write_response_body(answer.body, true).await?;
    }
    if !session.is_body_done() && !session.is_http2() && !waits {
        let drained = tokio::time::timeout(DRAIN_TIME, drain(session)).await;
        if !matches!(drained, Ok(true)) {
            session.set_keepalive(None);
        }
    }
    Ok(())
}

/// Leaves what a client acts upon, and takes out what is for people to read.
fn shorten(answer: &mut Answer) {
    let headers = &mut answer.headers;
    answer.body.clear();
    if headers.remove("grpc-message").is_none() {
        headers.remove(header::CONTENT_TYPE);
    }
    let challenge = headers.get(header::WWW_AUTHENTICATE).and_then(|challenge| challenge.to_str().ok());
    // No value has a `"` in it.
    if let Some((before, after)) =
        challenge.and_then(|challenge| challenge.split_once(", error_description=\""))
    {
        let after = after.split_once('"').map_or("", |(_, after)| after);
        if let Ok(challenge) = HeaderValue::from_str(&format!("{before}{after}")) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
    }
}

/// Reads the body to its end, unless it is too long. Whether it ended.
async fn drain(session: &mut Session) -> bool {
    let mut left = DRAIN_BYTES;
    loop {
        match session.downstream_session.read_request_body().await {
            Ok(None) => return true,
            Ok(Some(bytes)) => match left.checked_sub(bytes.len() as u64) {
                Some(rest) => left = rest,
                None => return false,
            },
            Err(_) => return false,
        }
    }
}

/// Takes out of an upstream's answer what was for this hop alone (RFC 9110 section 7.6.1), and a framing that it can't have (RFC 9112
/// section 6.1). Pingora sets the connection's own fields.
///
/// # Errors
/// Its end can be found in more than one way (RFC 9112 section 6.3).
pub(super) fn clean(response: &mut ResponseHeader) -> Result<()> {
    if response.status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(());
    }
    let (mut connection, mut strays, mut framed) = (false, false, false);
    for name in response.headers.keys() {
        framed |= *name == header::CONTENT_LENGTH || *name == header::TRANSFER_ENCODING;
        connection |= *name == header::CONNECTION;
        strays |= *name == header::UPGRADE || matches!(name.as_str(), "keep-alive" | "proxy-connection");
    }
    if framed {
        frame(response)?;
    }
    if response.version < Version::HTTP_11 {
        // It is ours that the caller is told (RFC 9112 section 2.3).
        response.set_version(Version::HTTP_11);
    }
    if connection {
        let named = nominated(&response.headers).filter_map(|name| HeaderName::try_from(name).ok());
        // Neither the length of the body nor the challenge is for this hop.
        let kept = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::WWW_AUTHENTICATE];
        let named: Vec<HeaderName> = named.filter(|name| !kept.contains(name)).collect();
        for name in &named {
            response.remove_header(name);
        }
        response.remove_header(&header::CONNECTION);
    }
    if strays {
        response.remove_header("keep-alive");
        response.remove_header("proxy-connection");
        response.remove_header(&header::UPGRADE);
    }
    Ok(())
}

/// Whether an upstream agrees to what was asked for, and to nothing else (RFC 9110 section 7.8).
pub(super) fn becomes_websocket(response: &ResponseHeader) -> bool {
    let mut protocols = response.headers.get_all(header::UPGRADE).iter();
    let websocket = protocols.next().is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    websocket && protocols.next().is_none()
}

/// One length in canonical form, or chunks, or neither.
fn frame(response: &mut ResponseHeader) -> Result<()> {
    if response.status.is_informational() || response.status == StatusCode::NO_CONTENT {
        response.remove_header(&header::CONTENT_LENGTH);
        response.remove_header(&header::TRANSFER_ENCODING);
        return Ok(());
    }
    let mut lengths = response.headers.get_all(header::CONTENT_LENGTH).iter();
    let length = lengths.next().map(|length| content_length(length.as_bytes()).is_some());
    let mut codings = response.headers.get_all(header::TRANSFER_ENCODING).iter();
    let chunked = codings.next().map(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if length == Some(false)
        || lengths.next().is_some()
        || chunked == Some(false)
        || codings.next().is_some()
        || (chunked.is_some() && response.version == Version::HTTP_10)
    {
        return Err(Error::new_up(ErrorType::InvalidHTTPHeader));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::refusal::Refusal;
    use super::*;
    use crate::policy::AnswerForm;
    use bytes::Bytes;
    use http::HeaderMap;

    #[test]
    fn a_short_answer_keeps_what_a_client_acts_upon() {
        let challenge =
            "Bearer realm=\"a, b\", error=\"insufficient_scope\", error_description=\"c, d\", scope=\"e f\"";
        let fields = [
            (
                "www-authenticate",
                challenge,
                "Bearer realm=\"a, b\", error=\"insufficient_scope\", scope=\"e f\"",
            ),
            ("www-authenticate", "Bearer", "Bearer"),
            ("cache-control", "no-store", "no-store"),
            ("retry-after", "3", "3"),
            ("allow", "GET", "GET"),
            ("grpc-status", "16", "16"),
            ("grpc-message", "the token has expired", ""),
            ("content-type", "application/problem+json", ""),
        ];
        for (name, value, kept) in fields {
            let headers =
                HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]);
            let mut answer =
                Answer { status: StatusCode::FORBIDDEN, headers, body: Bytes::from_static(b"{}") };
            shorten(&mut answer);
            assert_eq!(answer.headers.get(name).map_or("", |value| value.to_str().unwrap()), kept);
            assert!(answer.body.is_empty());
        }
        let mut trailers = Refusal::Host.answer(AnswerForm::Grpc);
        shorten(&mut trailers);
        let names: Vec<&str> = trailers.headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["cache-control", "content-type", "grpc-status"]);
    }
}
