//! What is asked of whom; immutable once compiled; pure.
