//! Characters beyond ASCII: which of them a name may have, and what readers who know only ASCII take them for.

use std::iter;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Whether every reader takes it for part of a name: a letter, a mark, a digit, punctuation or a symbol, that is made of nothing
/// (by Unicode's compatibility decomposition) which must not stand in a segment itself.
pub(super) fn is_plain(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Number, Punctuation, Symbol};
    let group = c.general_category_group();
    matches!(group, Letter | Mark | Number | Punctuation | Symbol) && iter::once(c).nfkd().all(is_harmless)
}

/// The letters of ASCII that it is made of, or is written with where there is nothing else. In lower case.
pub(super) fn in_ascii(c: char) -> impl Iterator<Item = char> {
    let known = LETTERS.iter().find(|(letters, _)| letters.contains(c)).map_or("", |(_, written)| *written);
    // Some letters are of ASCII in upper case alone, such as U+0131.
    let made_of = c.to_uppercase().nfkd().filter(char::is_ascii);
    known.chars().chain(made_of).map(|c| c.to_ascii_lowercase())
}

fn is_harmless(c: char) -> bool {
    match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => byte != b'.' && super::may_stand_raw(byte),
        _ => !SEPARATORS.contains(&c),
    }
}

/// Not made of a separator, but taken for one by code pages that have nothing nearer: for a slash, a backslash, a dot, a percent sign.
const SEPARATORS: [char; 9] = [
    '\u{2044}', '\u{2215}', '\u{29f8}', '\u{2216}', '\u{29f5}', '\u{29f9}', '\u{20e5}', '\u{3002}', '\u{66a}',
];

/// Letters that are not made of others.
const LETTERS: [(&str, &str); 11] = [
    ("ÆæǼǽ", "ae"),
    ("Œœ", "oe"),
    ("ØøǾǿ", "o"),
    ("Łł", "l"),
    ("ĐđÐð", "d"),
    ("Ħħ", "h"),
    ("Ŧŧ", "t"),
    ("Þþ", "th"),
    ("Ŋŋ", "n"),
    ("ĸ", "k"),
    ("ẞ", "ss"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_scripts_are_plain() {
        for name in [
            "José",
            "Jose\u{301}",
            "Ærø",
            "Łódź",
            "Straße",
            "İzmir",
            "Ωμέγα",
            "Привет",
            "日本語",
            "데이터",
            "हिन्दी",
            "ไทย",
            "שלום",
            "مرحبا",
            "“a”—b…",
        ] {
            let odd: Vec<char> = name.chars().filter(|c| !c.is_ascii() && !is_plain(*c)).collect();
            // An ellipsis is three dots.
            assert!(odd.iter().all(|c| *c == '…'), "{name}: {odd:?}");
        }
    }

    #[test]
    fn what_is_taken_for_something_else_is_not() {
        for c in "\u{80}\u{85}\u{a0}\u{ad}\u{200b}\u{200d}\u{202e}\u{2028}\u{2060}\u{feff}\u{fffe}\u{e000}\u{10ffff}".chars() {
            assert!(!is_plain(c), "{c:?}");
        }
        for c in "／．＼；％？＃＂＜＞｀\u{3000}․‥…﹒。｡;⁄∕∖⧵⧸⒈½℀℅".chars()
        {
            assert!(!is_plain(c), "{c:?}");
        }
    }

    #[test]
    fn no_plain_character_is_written_with_a_separator() {
        let plain = ('\u{80}'..=char::MAX).filter(|c| is_plain(*c));
        let mut count = 0;
        for c in plain {
            count += 1;
            let case = c.to_lowercase().chain(c.to_uppercase());
            let forms =
                iter::once(c).nfc().chain(iter::once(c).nfkc()).chain(case.clone().nfkd()).chain(case);
            for form in forms.chain(in_ascii(c)) {
                assert!(is_harmless(form), "{c:?} is written {form:?}");
            }
        }
        assert!(count > 100_000, "{count}");
    }

    #[test]
    fn letters_are_made_of_letters() {
        for (c, expected) in [
            ('é', "e"),
            ('Å', "a"),
            ('ß', "ss"),
            ('ı', "i"),
            ('İ', "i"),
            ('\u{212a}', "k"),
            ('ſ', "s"),
            ('ﬁ', "fi"),
            ('Ａ', "a"),
            ('ø', "o"),
            ('日', ""),
            ('я', ""),
            ('\u{301}', ""),
        ] {
            assert_eq!(in_ascii(c).collect::<String>(), expected, "{c:?}");
        }
    }
}
