//! An issuer that signs, a clock that is turned by hand, scripted sources: for tests, ours and yours.
