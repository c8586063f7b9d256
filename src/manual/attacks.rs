//! Each attack, the room that answers it, and the test that shows it.
