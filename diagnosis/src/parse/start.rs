//! Errors of creating and starting a container: runc, crun, containerd, CRI-O, Docker.
