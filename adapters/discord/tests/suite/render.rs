//! What a message becomes: committed forms of all samples, limits for any words, nothing lost.

mod forms;
mod limits;
mod whole;
