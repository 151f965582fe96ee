//! Volume operations that failed, as the kubelet and the attach-detach controller word them.
