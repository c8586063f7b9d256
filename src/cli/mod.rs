//! The program's verbs: wiring only.
