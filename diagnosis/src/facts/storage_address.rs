//! Where the storage behind a volume is reached over the network: its address and port.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Volume};

use crate::case::Case;
use crate::pods;
use crate::reader::Needs;

/// Ports of the protocols that have a fixed one.
const NFS: &str = "2049";
const ISCSI: &str = "3260";

/// The host and port of the storage behind that volume of the pod; none where nothing tells.
///
/// # Errors
/// [`Needs`] where the claim or its volume have not been asked yet.
pub(crate) fn of_volume(case: &Case<'_>, volume: &str) -> Result<Option<(String, String)>, Needs> {
    let spec = case.pod().and_then(pods::spec);
    let mut volumes = spec.into_iter().flat_map(|spec| spec.volumes.iter().flatten());
    let Some(own) = volumes.find(|own| own.name == volume) else { return Ok(None) };
    if let Some(address) = inline(own) {
        return Ok(Some(address));
    }
    let Some(claim) = own.persistent_volume_claim.as_ref() else { return Ok(None) };
    let claim = case.get::<PersistentVolumeClaim>(case.namespace(), &claim.claim_name)?.found();
    let bound = claim.and_then(|claim| claim.spec.as_ref()?.volume_name.clone()).filter(|name| !name.is_empty());
    let Some(bound) = bound else { return Ok(None) };
    let found = case.get::<PersistentVolume>(None, &bound)?.found();
    Ok(found.and_then(|volume| of_persistent(&volume)))
}

fn inline(volume: &Volume) -> Option<(String, String)> {
    if let Some(nfs) = &volume.nfs {
        return Some((nfs.server.clone(), NFS.to_owned()));
    }
    volume.iscsi.as_ref().map(|iscsi| portal(&iscsi.target_portal))
}

fn of_persistent(volume: &PersistentVolume) -> Option<(String, String)> {
    let spec = volume.spec.as_ref()?;
    if let Some(nfs) = &spec.nfs {
        return Some((nfs.server.clone(), NFS.to_owned()));
    }
    if let Some(iscsi) = &spec.iscsi {
        return Some(portal(&iscsi.target_portal));
    }
    let csi = spec.csi.as_ref()?;
    let server = csi.volume_attributes.as_ref()?.get("server")?;
    csi.driver.contains("nfs").then(|| (server.clone(), NFS.to_owned()))
}

fn portal(portal: &str) -> (String, String) {
    let (host, port) = portal.rsplit_once(':').unwrap_or((portal, ISCSI));
    (host.to_owned(), port.to_owned())
}
