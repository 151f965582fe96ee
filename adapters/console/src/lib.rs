//! A chat in a terminal: the same commands and buttons as everywhere else.
#![warn(missing_docs)]
