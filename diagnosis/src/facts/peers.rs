//! Facts of the stage exit: the peer that a log names, and its state in the cluster.
