//! Forms: `application/x-www-form-urlencoded`, as RFC 6749 appendix B has it.

/// A form that is being filled in. Whatever a value holds, it stays the value of its one field.
#[derive(Default)]
pub(super) struct Form(String);

impl Form {
    pub(super) fn append(&mut self, name: &'static str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        encode(&mut self.0, value, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    }

    pub(super) fn into_string(self) -> String {
        self.0
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
            form.into_string(),
            "token=x%26token%3Dvictim%23%3F%2500%2B%20%0D%0A%C3%A9&token_type_hint=access_token"
        );
    }
}
