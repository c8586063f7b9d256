//! From words to facts; pure.
