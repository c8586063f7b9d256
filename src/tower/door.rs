//! What the layer does with requests, apart from the service behind it: judges, prepares those that pass, answers the others.

use super::body::AnswerBody;
use super::head::{OriginalUri, head};
use crate::gate::{Gate, Progress, Verdict};
use crate::policy::{AnswerForm, Denial, Permit, RequestHead};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderName, Request, Response};
use std::sync::Arc;

/// The gate, and how this door carries its decisions.
#[derive(Clone, Debug)]
pub(super) struct Door<A> {
    pub(super) gate: Arc<Gate>,
    pub(super) options: Options,
    pub(super) body: A,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) strip_authorization: bool,
    pub(super) identity_headers: bool,
    pub(super) original_uri: Option<OriginalUri>,
}

impl Default for Options {
    fn default() -> Self {
        Self { strip_authorization: true, identity_headers: false, original_uri: None }
    }
}

impl<A> Door<A> {
    pub(super) fn judge<B>(&self, request: &Request<B>, progress: Progress) -> Verdict {
        self.gate.decide_after(&head(request, self.options.original_uri), progress)
    }

    /// Makes a permitted request what the service may see.
    ///
    /// 1. The caller's own copies of identity headers go, however they are spelled.
    /// 2. The token goes, unless the route or the layer lets it through.
    /// 3. Identity headers are set, if they are wanted.
    /// 4. Permit and principal go into the extensions. Whatever principal was there before is another's.
    pub(super) fn admit<B>(&self, permit: Permit, request: &mut Request<B>) {
        let identity = permit.policy().identity();
        let headers = request.headers_mut();
        let stripped: Vec<HeaderName> =
            headers.keys().filter(|name| identity.rules().strips(name.as_str())).cloned().collect();
        for name in &stripped {
            headers.remove(name);
        }
        if self.options.strip_authorization && !permit.forwards_authorization() {
            headers.remove(AUTHORIZATION);
        }
        if self.options.identity_headers {
            for (name, value) in identity.fields(&permit) {
                headers.insert(name, value);
            }
        }
        let extensions = request.extensions_mut();
        match permit.principal() {
            Some(principal) => extensions.insert(principal.clone()),
            None => extensions.remove(),
        };
        extensions.insert(permit);
    }

    pub(super) fn refuse<B, R>(&self, denial: Denial, request: &Request<B>) -> Response<R>
    where
        A: AnswerBody<R>,
    {
        refusal(denial, form(request), &self.body)
    }
}

/// The form in which this request is refused.
pub(super) fn form<B>(request: &Request<B>) -> AnswerForm {
    // Method and content type tell; the target does not matter.
    AnswerForm::of(&RequestHead::new(request.method(), b"", request.headers()))
}

/// The response to a refused request, with the denial in its extensions.
pub(super) fn refusal<R>(denial: Denial, form: AnswerForm, body: &impl AnswerBody<R>) -> Response<R> {
    let answer: Response<Bytes> = denial.answer(form).into();
    let mut response = answer.map(|bytes| body.answer_body(bytes));
    response.extensions_mut().insert(denial);
    response
}
