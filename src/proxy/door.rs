//! The door itself: each request is vetted, judged by the gate, dressed for its upstream, and answered.

use super::CALLER_TIMEOUT;
use super::access;
use super::connection::{self, Caller};
use super::forward::{Passage, anticipates_content, asks_for_websocket, waits_to_continue};
use super::refusal::Refusal;
use super::request_id::{self, RequestIds};
use super::respond;
use super::upstream::{InForce, Target, Upstream};
use super::vet::{announced_length, authority_of, vet};
use crate::config::Limits;
use crate::gate::{Gate, Verdict};
use crate::metrics::Metrics;
use crate::policy::{Answer, AnswerForm, Decision, Denial, Permit, RequestHead};
use crate::time::{Clock, SystemClock};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, Version, header};
use pingora_core::modules::http::HttpModules;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_core::{Error, ErrorSource, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};
use std::sync::Arc;
use std::time::Duration;

/// The door. One stands behind all listeners.
pub(super) struct Door {
    pub(super) gate: Arc<Gate>,
    pub(super) upstreams: Arc<ArcSwap<InForce>>,
    pub(super) limits: Limits,
    pub(super) ids: RequestIds,
    pub(super) metrics: Option<Arc<Metrics>>,
    pub(super) clock: SystemClock,
}

/// What is known of one request on its way through the door.
#[derive(Debug, Default)]
pub(super) struct Visit {
    /// When it came, by the clock that never goes back; zero if nobody will read it.
    pub(super) began: Duration,
    /// Its id.
    pub(super) id: Option<HeaderValue>,
    /// The gate's word, if it was asked.
    pub(super) permit: Option<Permit>,
    /// The gate's other word.
    pub(super) denial: Option<Denial>,
    /// Why the door answered it itself.
    pub(super) refusal: Option<Refusal>,
    /// Where it goes.
    pub(super) upstream: Option<Arc<Upstream>>,
    /// The address that it went to.
    pub(super) target: Option<Arc<Target>>,
    turn: usize,
    tries: usize,
    websocket: bool,
    /// Whether the caller was told to send its content.
    continued: bool,
    body_limit: Option<u64>,
    body_bytes: u64,
}

impl Door {
    /// 1. The head is vetted.
    /// 2. The gate judges it. If something has to be found out first, this is where the request waits.
    /// 3. Its upstream is found, and its announced length looked at.
    async fn admit(&self, session: &mut Session, visit: &mut Visit) -> Result<(), Box<Answer>> {
        let head = session.req_header();
        if let Err(refusal) = vet(head, self.limits.max_headers) {
            return Err(refuse(visit, refusal, form_of(head)));
        }
        let (permit, upstream) = loop {
            let permit = self.judge(session, visit).await?;
            let in_force = self.upstreams.load();
            let upstreams = match in_force.of(permit.policy()) {
                Some(upstreams) => upstreams,
                // The gate's policy was replaced without other upstreams.
                None if Arc::ptr_eq(permit.policy(), &self.gate.policy()) => in_force.newest(),
                // It was replaced just now: what it has permitted, the new one may not.
                None => continue,
            };
            let handling = permit.route().map(|route| &route.handling);
            let upstream = handling.and_then(|handling| upstreams.of(handling)).cloned();
            break (permit, upstream);
        };
        let Some((handling, upstream)) = permit.route().map(|route| &route.handling).zip(upstream) else {
            return Err(refuse(visit, Refusal::UpstreamUnreachable, form_of(session.req_header())));
        };
        let head = session.req_header();
        if upstream.is_http2() && head.version == Version::HTTP_10 {
            // Pingora would answer in chunks, which HTTP/1.0 does not know.
            return Err(refuse(visit, Refusal::Version, form_of(head)));
        }
        visit.websocket = handling.upgrade && !upstream.is_http2() && asks_for_websocket(head);
        visit.body_limit = handling.max_body.or(self.limits.max_body);
        let too_long = announced_length(&head.headers)
            .zip(visit.body_limit)
            .is_some_and(|(length, limit)| length > limit);
        visit.turn = upstream.next_turn();
        visit.upstream = Some(upstream);
        visit.permit = Some(permit);
        if too_long { Err(refuse(visit, Refusal::BodyTooLarge, form_of(head))) } else { Ok(()) }
    }

    /// The gate's permit.
    async fn judge(&self, session: &Session, visit: &mut Visit) -> Result<Permit, Box<Answer>> {
        let mut verdict = self.gate.decide_now(&request_head(session.req_header()));
        let decision = loop {
            match verdict {
                Verdict::Decided(decision) => break decision,
                Verdict::Errand(errand) => {
                    let progress = errand.run().await;
                    verdict = self.gate.decide_after(&request_head(session.req_header()), progress);
                }
            }
        };
        match decision {
            Decision::Allow(permit) => Ok(permit),
            Decision::Deny(denial) => {
                let answer = denial.answer(form_of(session.req_header()));
                visit.denial = Some(denial);
                Err(Box::new(answer))
            }
        }
    }

    /// The id of a request: a trusted proxy's, if it sent a plain one; otherwise a new one.
    fn id_of(&self, session: &Session) -> HeaderValue {
        let trusted = caller_of(session).is_some_and(|caller| caller.trusted);
        let mut sent = session.req_header().headers.get_all(&self.limits.request_id_header).iter();
        let id = sent.next().filter(|id| trusted && request_id::is_plain(id));
        id.filter(|_| sent.next().is_none()).cloned().unwrap_or_else(|| self.ids.next())
    }

    async fn answer(&self, session: &mut Session, visit: &Visit, answer: Answer) -> Result<()> {
        let id = visit.id.as_ref().map(|id| (&self.limits.request_id_header, id));
        respond::answer(session, answer, id).await
    }
}

#[async_trait]
impl ProxyHttp for Door {
    type CTX = Visit;

    fn new_ctx(&self) -> Visit {
        Visit::default()
    }

    /// None: what modules do, this gateway does not.
    fn init_downstream_modules(&self, _: &mut HttpModules) {}

    async fn request_filter(&self, session: &mut Session, visit: &mut Visit) -> Result<bool> {
        if access::is_wanted() {
            visit.began = self.clock.elapsed();
        }
        visit.id = Some(self.id_of(session));
        session.set_write_timeout(Some(CALLER_TIMEOUT));
        // HTTP/1.0 knows no interim answers (RFC 9110 section 15.2).
        if session.req_header().version == Version::HTTP_10 {
            session.set_ignore_info_resp(true);
        }
        match self.admit(session, visit).await {
            Ok(()) => Ok(false),
            Err(answer) => self.answer(session, visit, *answer).await.map(|()| true),
        }
    }

    async fn upstream_peer(&self, _: &mut Session, visit: &mut Visit) -> Result<Box<HttpPeer>> {
        let upstream = visit.upstream.as_ref().ok_or_else(missing)?;
        let turn = visit.turn.wrapping_add(visit.tries);
        let target = upstream.target(turn).ok_or_else(|| Error::new_up(ErrorType::ConnectNoRoute))?;
        visit.tries += 1;
        // A second try sends the body again.
        visit.body_bytes = 0;
        let mut peer = Box::new(target.peer().clone());
        let handling = visit.permit.as_ref().and_then(|permit| permit.route()).map(|route| &route.handling);
        if let Some(timeout) = handling.and_then(|handling| handling.read_timeout) {
            peer.options.read_timeout = Some(timeout);
        }
        visit.target = Some(target);
        Ok(peer)
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        head: &mut RequestHeader,
        visit: &mut Visit,
    ) -> Result<()> {
        let no_body = anticipates_content(&session.req_header().method) && session.is_body_empty();
        let (Some(permit), Some(upstream), Some(target), Some(id), Some(caller)) =
            (&visit.permit, &visit.upstream, &visit.target, &visit.id, caller_of(session))
        else {
            return Err(missing());
        };
        let came = session.req_header();
        let passage = Passage {
            permit,
            caller,
            came,
            authority: authority_of(came).unwrap_or_default(),
            id: (&self.limits.request_id_header, id),
            forward_authorization: permit.forwards_authorization(),
            websocket: visit.websocket,
            http2: upstream.is_http2(),
            no_body,
            host: upstream.host(target),
        };
        if let Err(refusal) = passage.dress(head) {
            return Err(give_up(visit, refusal));
        }
        if let Some(target) = upstream.rewrite().apply(came.raw_path()) {
            set_target(head, &target)?;
        }
        if waits_to_continue(came) && !visit.continued && !session.is_body_empty() {
            visit.continued = true;
            // That it comes before the content is no reason to end the connection afterwards.
            session.set_close_on_response_before_downstream_finish(false);
            session.downstream_session.write_continue_response().await?;
            session.set_close_on_response_before_downstream_finish(true);
        }
        Ok(())
    }

    async fn request_body_filter(
        &self,
        session: &mut Session,
        body: &mut Option<Bytes>,
        ends: bool,
        visit: &mut Visit,
    ) -> Result<()> {
        // An empty frame may end a body on HTTP/2. Pingora would write it as a chunk of no bytes, which is the last one, and then
        // the last one: what is left over would stand before the next request, which may be somebody else's.
        if ends && body.as_ref().is_some_and(Bytes::is_empty) {
            *body = None;
        }
        let Some(body) = body else { return Ok(()) };
        visit.body_bytes = visit.body_bytes.saturating_add(body.len() as u64);
        // Once it is another protocol, it has no body any more.
        if visit.body_limit.is_some_and(|limit| visit.body_bytes > limit) && !session.was_upgraded() {
            return Err(give_up(visit, Refusal::BodyTooLarge));
        }
        Ok(())
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        visit: &mut Visit,
    ) -> Result<()> {
        if response.status == StatusCode::SWITCHING_PROTOCOLS {
            if !visit.websocket || !respond::becomes_websocket(response) {
                // Nobody asked for that.
                return Err(Error::new_up(ErrorType::InvalidHTTPHeader));
            }
            // How long another protocol may be silent is for the upstream's own timeout to say.
            session.set_read_timeout(None);
        }
        respond::clean(response)?;
        if session.req_header().version == Version::HTTP_10 {
            // It knows no chunks: the connection's end is the body's (RFC 9112 section 6.3).
            response.remove_header(&header::TRANSFER_ENCODING);
            session.set_keepalive(None);
        }
        if let Some(id) = &visit.id {
            response.insert_header(&self.limits.request_id_header, id)?;
        }
        Ok(())
    }

    /// Nothing was sent yet: another address may be tried, whatever the method.
    fn fail_to_connect(
        &self,
        _: &mut Session,
        peer: &HttpPeer,
        visit: &mut Visit,
        mut error: Box<Error>,
    ) -> Box<Error> {
        let upstream = visit.upstream.as_deref();
        tracing::warn!(
            upstream = upstream.map(Upstream::name),
            address = %peer._address,
            error = error.etype().as_str(),
            cause = access::cause(&error),
            "can't connect"
        );
        error.set_retry(upstream.is_some_and(|upstream| visit.tries < upstream.addresses().min(MAX_TRIES)));
        error
    }

    /// Something may have been sent: only what is idempotent is tried again, and only if the upstream had closed a connection
    /// that was kept for reuse before the request reached it (RFC 9110 section 9.2.2).
    fn error_while_proxy(
        &self,
        _: &HttpPeer,
        session: &mut Session,
        mut error: Box<Error>,
        visit: &mut Visit,
        reused: bool,
    ) -> Box<Error> {
        let repeatable =
            session.req_header().method.is_idempotent() && !session.as_ref().retry_buffer_truncated();
        if repeatable && visit.tries < MAX_TRIES {
            error.retry.decide_reuse(reused);
        } else {
            error.set_retry(false);
        }
        error
    }

    async fn fail_to_proxy(&self, session: &mut Session, error: &Error, visit: &mut Visit) -> FailToProxy {
        let gone = FailToProxy { error_code: 0, can_reuse_downstream: false };
        let Some(refusal) = visit.refusal.or_else(|| refusal_for(error)) else { return gone };
        visit.refusal = Some(refusal);
        if *error.esource() != ErrorSource::Downstream {
            tracing::warn!(
                upstream = visit.upstream.as_deref().map(Upstream::name),
                address = visit.target.as_deref().map(|target| tracing::field::display(target.address())),
                reason = refusal.code(),
                error = error.etype().as_str(),
                cause = access::cause(error),
                "a request failed"
            );
        }
        session.set_keepalive(None);
        if session.response_written().is_some_and(|response| !response.status.is_informational()) {
            // An answer has begun. That it ends too soon is all that can be told.
            return FailToProxy { error_code: refusal.status().as_u16(), ..gone };
        }
        let form = form_of(session.req_header());
        // If the caller is gone too, there is nobody to tell.
        let _ = self.answer(session, visit, refusal.answer(form)).await;
        FailToProxy { error_code: refusal.status().as_u16(), ..gone }
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, visit: &mut Visit) {
        if let Some(metrics) = &self.metrics {
            count(metrics, session, error, visit);
        }
        if access::is_wanted() {
            access::log(session, visit, error, self.clock.elapsed().saturating_sub(visit.began));
        }
    }

    /// What pingora would log has the query in it, and perhaps bytes of a message. `fail_to_proxy` says what there is to say.
    fn suppress_error_log(&self, _: &Session, _: &Visit, _: &Error) -> bool {
        true
    }

    fn suppress_proxy_warn_log(&self, _: &Session, _: &Visit, _: &Error, _: ProxyWarnLogContext) -> bool {
        true
    }

    fn request_summary(&self, session: &Session, _: &Visit) -> String {
        session.req_header().method.to_string()
    }
}

/// The caller behind a session.
pub(super) fn caller_of(session: &Session) -> Option<&Caller> {
    connection::caller(session.digest()?.proxy_digest.as_deref()?)
}

/// The form in which the caller of this head is answered.
fn form_of(head: &RequestHeader) -> AnswerForm {
    AnswerForm::of(&RequestHead::new(&head.method, head.raw_path(), &head.headers))
}

/// What the gate needs to see of a vetted head.
fn request_head(head: &RequestHeader) -> RequestHead<'_> {
    RequestHead::new(&head.method, head.raw_path(), &head.headers).with_authority(authority_of(head))
}

fn refuse(visit: &mut Visit, refusal: Refusal, form: AnswerForm) -> Box<Answer> {
    visit.refusal = Some(refusal);
    Box::new(refusal.answer(form))
}

/// Ends a request that is on its way to its upstream already; `fail_to_proxy` answers it.
fn give_up(visit: &mut Visit, refusal: Refusal) -> Box<Error> {
    visit.refusal = Some(refusal);
    Error::new_down(ErrorType::HTTPStatus(refusal.status().as_u16()))
}

/// What an error means for the caller; `None` if it is gone.
fn refusal_for(error: &Error) -> Option<Refusal> {
    use ErrorType::{
        ConnectError, ConnectNoRoute, ConnectRefused, ConnectTimedout, ConnectionClosed, HandshakeError,
        InvalidCert, ReadError, ReadTimedout, SocketError, TLSHandshakeFailure, TLSHandshakeTimedout,
        WriteError, WriteTimedout,
    };
    Some(match (error.esource(), error.etype()) {
        (ErrorSource::Downstream, ReadError) if is_malformed(error) => Refusal::Malformed,
        (
            ErrorSource::Downstream,
            ReadError | WriteError | WriteTimedout | ConnectionClosed | ErrorType::H2Error,
        ) => {
            return None;
        }
        (ErrorSource::Downstream, ReadTimedout) => Refusal::TooSlow,
        (ErrorSource::Downstream, _) => Refusal::Malformed,
        (_, ConnectTimedout | TLSHandshakeTimedout | ReadTimedout | WriteTimedout) => {
            Refusal::UpstreamTimeout
        }
        (
            _,
            ConnectError | ConnectNoRoute | ConnectRefused | SocketError | HandshakeError
            | TLSHandshakeFailure | InvalidCert,
        ) => Refusal::UpstreamUnreachable,
        (ErrorSource::Upstream, _) => Refusal::UpstreamFailed,
        _ => Refusal::Internal,
    })
}

/// Whether the connection would not hand on what came.
fn is_malformed(error: &Error) -> bool {
    let cause = error.root_cause().downcast_ref::<std::io::Error>();
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::InvalidData)
}

fn count(metrics: &Metrics, session: &Session, error: Option<&Error>, visit: &Visit) {
    if let Some(refusal) = visit.refusal {
        metrics.refused(refusal.code());
    }
    let Some((upstream, _)) = visit.upstream.as_ref().zip(visit.target.as_ref()) else { return };
    let result = match (visit.refusal, error, session.response_written()) {
        (Some(refusal), ..) => refusal.code(),
        (None, Some(_), _) => "caller_gone",
        (None, None, response) => class_of(response.map(|response| response.status)),
    };
    metrics.upstream(upstream.name(), result);
}

fn class_of(status: Option<StatusCode>) -> &'static str {
    match status.map(|status| status.as_u16()) {
        Some(100..200) => "1xx",
        Some(200..300) => "2xx",
        Some(300..400) => "3xx",
        Some(400..500) => "4xx",
        Some(_) => "5xx",
        None => "none",
    }
}

/// Sets the target, and leaves scheme and authority as they are.
fn set_target(head: &mut RequestHeader, target: &[u8]) -> Result<()> {
    if head.uri.authority().is_none() {
        return head.set_raw_path(target);
    }
    let mut parts = head.uri.clone().into_parts();
    parts.path_and_query = http::uri::PathAndQuery::try_from(target).ok();
    head.set_uri(http::Uri::from_parts(parts).map_err(|_| missing())?);
    Ok(())
}

/// A step was taken before the one that it depends on.
fn missing() -> Box<Error> {
    Error::new_in(ErrorType::InternalError)
}

/// How often a request is tried at most.
pub(super) const MAX_TRIES: usize = 4;
