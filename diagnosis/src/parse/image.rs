//! Image references and pull errors in the wording of containerd, CRI-O and Docker.
