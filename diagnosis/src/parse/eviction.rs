//! Evictions and rejections by the kubelet.
