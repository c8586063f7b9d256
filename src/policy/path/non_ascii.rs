//! Characters beyond ASCII: which of them a name may have, and what readers who know only ASCII take them for.

use super::super::Map;
use std::iter;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_compatible;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Whether every reader takes it for part of a name: a letter, a mark, a digit, punctuation or a symbol, that is made of nothing
/// (by Unicode's compatibility decomposition) which must not stand in a segment itself.
pub(super) fn is_plain(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Number, Punctuation, Symbol};
    let mut harmless = matches!(c.general_category_group(), Letter | Mark | Number | Punctuation | Symbol);
    decompose_compatible(c, |part| harmless &= is_harmless(part));
    harmless
}

/// What readers who know only ASCII write for a character, each in its way.
pub(super) type Written = [Box<str>; WAYS.len()];

/// What they write for this one, unless all of them drop it.
pub(super) fn written(c: char) -> Option<&'static Written> {
    WRITTEN.get(&c)
}

/// Does now what would otherwise be done when it is first needed.
pub(super) fn prepare() {
    LazyLock::force(&WRITTEN);
}

/// A table, since a path may have a thousand of them, and Unicode takes its time.
static WRITTEN: LazyLock<Map<char, Written>> = LazyLock::new(|| {
    let all = ('\u{80}'..LAST).filter(|c| is_plain(*c)).map(|c| (c, WAYS.map(|way| way(c).into())));
    all.filter(|(_, ways): &(char, Written)| ways.iter().any(|way| !way.is_empty())).collect()
});

/// No character from here on is made of letters of ASCII.
const LAST: char = '\u{20000}';

/// How readers who know only ASCII write a character: each in one of these ways throughout, and in small letters. They drop what they
/// can't write, after they have taken it apart or not, with or without regard to case; or they know more letters.
pub(super) const WAYS: [fn(char) -> String; 9] = [
    |_| String::new(),
    |c| ascii_of(iter::once(c).nfd()),
    |c| ascii_of(iter::once(c).nfkc()),
    |c| ascii_of(iter::once(c).nfkd()),
    // Some letters, such as U+0131, are of ASCII in upper case alone.
    |c| ascii_of(c.to_uppercase().nfd()),
    |c| ascii_of(c.to_uppercase().nfc()),
    |c| ascii_of(iter::once(c).nfkc().flat_map(char::to_uppercase).nfkc()),
    |c| ascii_of(iter::once(c).nfkd().flat_map(char::to_uppercase).nfkd()),
    unaccented,
];

/// The letters of ASCII that it is made of, or is written with where there is nothing else: `é` is an `e`, and `ø` an `o`.
fn unaccented(c: char) -> String {
    let parts = iter::once(c).nfkd().flat_map(|part| {
        let known = LETTERS.iter().find(|(letter, _)| *letter == part).map_or("", |(_, written)| *written);
        known.chars().chain(part.to_uppercase().nfkd())
    });
    ascii_of(parts)
}

fn ascii_of(text: impl Iterator<Item = char>) -> String {
    text.filter(char::is_ascii).map(|c| c.to_ascii_lowercase()).collect()
}

fn is_harmless(c: char) -> bool {
    match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => byte != b'.' && super::may_stand_raw(byte),
        _ => !SEPARATORS.contains(&c),
    }
}

/// Not made of a separator, but taken for one by code pages and transliterations that have nothing nearer: for a slash, a backslash, a dot,
/// a percent sign.
const SEPARATORS: [char; 24] = [
    '\u{f7}', '\u{1735}', '\u{2044}', '\u{2215}', '\u{244a}', '\u{2571}', '\u{27cb}', '\u{29f8}',
    '\u{3033}', //
    '\u{2216}', '\u{2572}', '\u{27cd}', '\u{29f5}', '\u{29f9}', '\u{20e5}', //
    '\u{b7}', '\u{6d4}', '\u{701}', '\u{702}', '\u{2022}', '\u{2219}', '\u{22c5}', '\u{3002}', //
    '\u{66a}',
];

/// Letters that are not made of others.
const LETTERS: [(char, &str); 19] = [
    ('Æ', "ae"),
    ('æ', "ae"),
    ('Œ', "oe"),
    ('œ', "oe"),
    ('Ø', "o"),
    ('ø', "o"),
    ('Ł', "l"),
    ('ł', "l"),
    ('Đ', "d"),
    ('đ', "d"),
    ('Ð', "d"),
    ('ð', "d"),
    ('Ħ', "h"),
    ('ħ', "h"),
    ('Ŧ', "t"),
    ('ŧ', "t"),
    ('Þ', "th"),
    ('þ', "th"),
    ('ẞ', "ss"),
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
        for c in "／．＼；％？＃＂＜＞｀\u{3000}․‥…﹒。｡;⁄∕∖⧵⧸⒈½℀℅÷╱⟋╲⟍·\u{387}•∙⋅۔٪".chars()
        {
            assert!(!is_plain(c), "{c:?}");
        }
    }

    #[test]
    fn what_is_not_in_the_table_is_dropped() {
        for c in (LAST..=char::MAX).filter(|c| is_plain(*c)) {
            assert!(WAYS.iter().all(|way| way(c).is_empty()), "{c:?}");
        }
        assert_eq!(
            written('é').unwrap().each_ref().map(|way| &**way),
            ["", "e", "", "e", "e", "", "", "e", "e"]
        );
        assert!(written('日').is_none());
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
            for form in forms.chain(unaccented(c).chars()) {
                assert!(is_harmless(form), "{c:?} is written {form:?}");
            }
        }
        assert!(count > 100_000, "{count}");
    }

    #[test]
    fn whoever_normalises_and_ignores_case_finds_the_same_letters() {
        type Step = fn(&str) -> String;
        let steps: [Step; 6] = [
            |text| text.nfc().collect(),
            |text| text.nfd().collect(),
            |text| text.nfkc().collect(),
            |text| text.nfkd().collect(),
            str::to_lowercase,
            str::to_uppercase,
        ];
        let is_written_otherwise = |c: &char| {
            let forms = iter::once(*c).nfkd().chain(c.to_uppercase()).chain(c.to_lowercase());
            forms.into_iter().any(|form| form != *c)
        };
        for c in ('\u{80}'..=char::MAX).filter(|c| is_plain(*c)).filter(is_written_otherwise) {
            let ours = WAYS.map(|way| way(c));
            let mut forms = vec![c.to_string()];
            for _ in 0..3 {
                let further: Vec<String> =
                    forms.iter().flat_map(|form| steps.map(|step| step(form))).collect();
                forms.extend(further);
                forms.sort();
                forms.dedup();
                for form in &forms {
                    let theirs = ascii_of(form.chars());
                    assert!(ours.contains(&theirs), "{c:?}, {form:?}: {ours:?}");
                }
            }
        }
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
            ('ǿ', "o"),
            ('\u{1d6a4}', "i"),
            ('日', ""),
            ('я', ""),
            ('\u{301}', ""),
        ] {
            assert_eq!(unaccented(c), expected, "{c:?}");
        }
    }
}
