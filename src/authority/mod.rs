//! The embedded authorization server for the demo, development and tests.
