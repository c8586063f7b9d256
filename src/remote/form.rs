//! Forms: `application/x-www-form-urlencoded`, as RFC 6749 appendix B has it.

use bytes::Bytes;
use zeroize::Zeroizing;

/// A form that is being filled in. Whatever a value holds, it stays the value of its one field.
///
/// There are tokens and secrets in it: it is wiped from memory when it is dropped, and so is the body that it becomes.
#[derive(Default)]
pub(super) struct Form(Zeroizing<String>);

impl Form {
    pub(super) fn append(&mut self, name: &'static str, value: &str) {
        self.make_room(2 + name.len() + 3 * value.len());
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        encode(&mut self.0, value, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    }

    /// A string that grows leaves a copy behind: so it is moved to a larger one, and wiped.
    fn make_room(&mut self, more: usize) {
        if self.0.capacity() - self.0.len() < more {
            let mut larger = Zeroizing::new(String::with_capacity(2 * (self.0.len() + more)));
            larger.push_str(&self.0);
            self.0 = larger;
        }
    }

    pub(super) fn into_body(self) -> Bytes {
        Bytes::from_owner(self.0)
    }

    #[cfg(test)]
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Encodes no more than form-decoding would change (`%` and `+`), what is no visible ASCII, and what else `must` be.
pub(super) fn form_encode_gently(into: &mut String, value: &str, must: &[u8]) {
    encode(into, value, |byte| byte.is_ascii_graphic() && !must.contains(&byte));
}

fn encode(into: &mut String, value: &str, plain: impl Fn(u8) -> bool) {
    for byte in value.bytes() {
        if plain(byte) {
            into.push(char::from(byte));
        } else {
            let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase();
            into.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_one_value() {
        let mut form = Form::default();
        form.append("token", "x&token=victim#?%00+ \r\né");
        form.append("token_type_hint", "access_token");
        assert_eq!(
            form.as_str(),
            "token=x%26token%3Dvictim%23%3F%2500%2B%20%0D%0A%C3%A9&token_type_hint=access_token"
        );
        let text = form.as_str().to_owned();
        assert_eq!(form.into_body(), text);
    }
}
