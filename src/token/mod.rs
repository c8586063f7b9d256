//! Words: from header bytes to unverified meaning; pure, borrowing.
