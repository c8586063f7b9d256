//! Durations and sizes as people write them: `250ms`, `30s`, `5m`, `12h`, `7d`; `256KiB`, `64MiB`, or bytes.

use std::time::Duration;

/// Parse a duration: digits and one unit. The error says what to write instead.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = split(text);
    let Ok(number) = digits.parse::<u64>() else {
        return Err("write digits and a unit, such as `250ms`, `30s`, `5m`, `12h` or `7d`".to_owned());
    };
    let milliseconds = match unit {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" => Some(60 * 1000),
        "h" => Some(60 * 60 * 1000),
        "d" => Some(24 * 60 * 60 * 1000),
        "" => return Err(format!("add the unit: `{number}s` for seconds, or `ms`, `m`, `h`, `d`")),
        _ => None,
    };
    let Some(milliseconds) = milliseconds else {
        return Err(
            "the units are `ms`, `s`, `m`, `h` and `d`, one of them after whole digits, such as `90m`"
                .to_owned(),
        );
    };
    number
        .checked_mul(milliseconds)
        .map(Duration::from_millis)
        .ok_or_else(|| "it is too long to count".to_owned())
}

/// Parse a size in bytes: digits, and a binary unit if wanted.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = split(text);
    let Ok(number) = digits.parse::<u64>() else {
        return Err(
            "write whole digits and a unit, such as `256KiB`, `64MiB` or `1GiB`, or plain bytes".to_owned()
        );
    };
    let bytes = match unit {
        "" | "B" => Some(1),
        "KiB" => Some(1024),
        "MiB" => Some(1024 * 1024),
        "GiB" => Some(1024 * 1024 * 1024),
        _ => None,
    };
    let Some(bytes) = bytes else {
        let meant = match unit.bytes().next().map(|first| first.to_ascii_lowercase()) {
            Some(b'k') => format!("write `{number}KiB`"),
            Some(b'm') => format!("write `{number}MiB`"),
            Some(b'g') => format!("write `{number}GiB`"),
            _ => "the units are `KiB`, `MiB` and `GiB`; without one it is bytes".to_owned(),
        };
        return Err(meant);
    };
    number.checked_mul(bytes).ok_or_else(|| "it is too large to count".to_owned())
}

/// A duration as [`duration`] reads it, in the largest unit that fits.
pub(super) fn show_duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];
    match units.iter().find(|(_, unit)| milliseconds > 0 && milliseconds.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", milliseconds / unit),
        None if milliseconds == 0 => "0s".to_owned(),
        None => format!("{milliseconds}ms"),
    }
}

/// A size as [`size`] reads it, in the largest unit that fits.
pub(super) fn show_size(bytes: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => bytes.to_string(),
    }
}

fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end).unwrap_or((text, ""));
    (digits, unit.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("250ms", Duration::from_millis(250)),
            ("30s", Duration::from_secs(30)),
            ("5m", Duration::from_secs(300)),
            ("12h", Duration::from_secs(43_200)),
            ("7d", Duration::from_secs(604_800)),
            ("0s", Duration::ZERO),
        ] {
            assert_eq!(duration(text), Ok(expected), "{text}");
            assert_eq!(show_duration(expected), text);
        }
        for text in [
            "",
            "s",
            "30",
            "1.5s",
            "-1s",
            "1h30m",
            "30 seconds",
            "5M",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(duration("30").unwrap_err().contains("`30s`"));
    }

    #[test]
    fn sizes() {
        for (text, expected) in
            [("0", 0), ("1000", 1000), ("256KiB", 1 << 18), ("64MiB", 1 << 26), ("2GiB", 2 << 30)]
        {
            assert_eq!(size(text), Ok(expected), "{text}");
            assert_eq!(show_size(expected), text);
        }
        for text in ["", "MiB", "1.5MiB", "-1", "10TB", "99999999999GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert_eq!(size("10MB").unwrap_err(), "write `10MiB`");
        assert_eq!(size("10k").unwrap_err(), "write `10KiB`");
    }
}
