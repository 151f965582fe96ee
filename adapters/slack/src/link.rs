//! Whether deliveries can arrive: how many sockets are open, and why the last one was lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kubewhy_chat::Link;

/// How many sockets are open, and why the last one was lost.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    open: usize,
    lost: Option<String>,
}

/// An open socket; it counts until it is dropped.
#[derive(Debug)]
pub(crate) struct Open(Arc<Board>);

impl Board {
    /// Counts a socket on which Slack has said hello.
    pub(crate) fn open(self: &Arc<Self>) -> Open {
        self.state().open += 1;
        Open(Arc::clone(self))
    }

    /// Notes why a socket is not open.
    pub(crate) fn lost(&self, why: &str) {
        self.state().lost = Some(why.to_owned());
    }

    pub(crate) fn link(&self) -> Link {
        let state = self.state();
        match &state.lost {
            _ if state.open > 0 => Link::Open,
            Some(why) => Link::Lost { why: why.clone() },
            None => Link::Connecting,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.open = state.open.saturating_sub(1);
        if state.open == 0 {
            state.lost.get_or_insert_with(|| "the connection ended".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kubewhy_chat::Link;

    use super::Board;

    #[test]
    fn the_link_is_open_while_one_socket_is() {
        let board = Arc::new(Board::default());
        assert_eq!(board.link(), Link::Connecting);
        let (first, second) = (board.open(), board.open());
        drop(first);
        board.lost("reset");
        assert_eq!(board.link(), Link::Open);
        drop(second);
        assert_eq!(board.link(), Link::Lost { why: "reset".to_owned() });
        let _third = board.open();
        assert_eq!(board.link(), Link::Open);
    }
}
