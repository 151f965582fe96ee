//! What a container is configured with: variables with their sources, and the volumes behind its paths.

use k8s_openapi::api::core::v1::{ConfigMap, Container, Pod, Volume, VolumeMount};
use kubewhy_text::{Text, name, text};

use crate::case::Case;
use crate::kind::Kind;
use crate::pods::ContainerView;
use crate::reader::Needs;
use crate::secret::Secret;

/// How many objects behind `envFrom` are read.
const SOURCES: usize = 4;

/// Where a variable's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The specification itself.
    Literal,
    /// A `ConfigMap` and a key of it.
    ConfigMap(String, String),
    /// A Secret and a key of it.
    Secret(String, String),
    /// A field of the pod or a resource.
    Field,
}

/// An environment variable of a container.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) name: String,
    /// Its value where it is no secret and known.
    pub(crate) value: Option<String>,
    pub(crate) source: Source,
}

impl Setting {
    /// ` (from key K of Secret S)`; nothing for what the specification says itself.
    pub(crate) fn origin(&self) -> Text {
        match &self.source {
            Source::Literal | Source::Field => Text::default(),
            Source::ConfigMap(object, key) => {
                text![" (key ", name(key.clone()), " of ConfigMap ", name(object.clone()), ")"]
            }
            Source::Secret(object, key) => text![" (key ", name(key.clone()), " of Secret ", name(object.clone()), ")"],
        }
    }
}

/// The variables that `env` sets, without a read.
pub(crate) fn explicit(container: &Container) -> Vec<Setting> {
    let mut settings = Vec::new();
    for env in container.env.iter().flatten() {
        let from = env.value_from.as_ref();
        let source = if let Some(key) = from.and_then(|from| from.config_map_key_ref.as_ref()) {
            Source::ConfigMap(key.name.clone(), key.key.clone())
        } else if let Some(key) = from.and_then(|from| from.secret_key_ref.as_ref()) {
            Source::Secret(key.name.clone(), key.key.clone())
        } else if from.is_some() {
            Source::Field
        } else {
            Source::Literal
        };
        settings.push(Setting { name: env.name.clone(), value: env.value.clone(), source });
    }
    settings
}

/// All variables of a container: those of `env`, and the keys of the objects behind `envFrom` as far as they can be
/// read.
///
/// # Errors
/// [`Needs`] where an object behind `envFrom` has not been asked yet.
pub(crate) fn all(case: &Case<'_>, container: &ContainerView<'_>) -> Result<Vec<Setting>, Needs> {
    let mut settings = explicit(container.spec);
    let mut needs = None;
    for from in container.spec.env_from.iter().flatten().take(SOURCES) {
        let prefix = from.prefix.as_deref().unwrap_or_default();
        if let Some(source) = &from.config_map_ref {
            match case.get::<ConfigMap>(case.namespace(), &source.name) {
                Ok(read) => {
                    settings.extend(read.found().iter().flat_map(|map| of_config_map(map, &source.name, prefix)));
                }
                Err(lacking) => needs = Some(lacking),
            }
        }
        if let Some(source) = &from.secret_ref {
            match case.get::<Secret>(case.namespace(), &source.name) {
                Ok(read) => {
                    settings.extend(read.found().iter().flat_map(|secret| of_secret(secret, &source.name, prefix)));
                }
                Err(lacking) => needs = Some(lacking),
            }
        }
    }
    needs.map_or(Ok(settings), Err)
}

/// The values that the keys of `ConfigMap`s give to variables of `env`.
///
/// # Errors
/// [`Needs`] where a `ConfigMap` has not been asked yet.
pub(crate) fn resolved(case: &Case<'_>, settings: Vec<Setting>) -> Result<Vec<Setting>, Needs> {
    let mut needs = None;
    let mut maps: Vec<String> = Vec::new();
    let mut known = Vec::new();
    for mut setting in settings {
        if let (None, Source::ConfigMap(map, key)) = (&setting.value, &setting.source) {
            if !maps.contains(map) {
                maps.push(map.clone());
            }
            if maps.len() <= SOURCES {
                match case.get::<ConfigMap>(case.namespace(), map) {
                    Ok(read) => {
                        let value =
                            read.found().and_then(|map| map.data.as_ref().and_then(|data| data.get(key).cloned()));
                        setting.value = value;
                    }
                    Err(lacking) => needs = Some(lacking),
                }
            }
        }
        known.push(setting);
    }
    needs.map_or(Ok(known), Err)
}

fn of_config_map(map: &ConfigMap, object: &str, prefix: &str) -> Vec<Setting> {
    let data = map.data.iter().flatten();
    data.map(|(key, value)| Setting {
        name: format!("{prefix}{key}"),
        value: Some(value.clone()),
        source: Source::ConfigMap(object.to_owned(), key.clone()),
    })
    .collect()
}

fn of_secret(secret: &Secret, object: &str, prefix: &str) -> Vec<Setting> {
    let keys = secret.keys.iter().flatten();
    keys.map(|key| Setting {
        name: format!("{prefix}{key}"),
        value: None,
        source: Source::Secret(object.to_owned(), key.clone()),
    })
    .collect()
}

/// A path inside a container, and the volume it lies on.
#[derive(Clone, Debug)]
pub(crate) struct Mounted<'p> {
    pub(crate) mount: &'p VolumeMount,
    pub(crate) volume: Option<&'p Volume>,
    /// The path below the mount; empty for the mount itself.
    pub(crate) rest: String,
}

/// The volume that a path of a container lies on; none for its root file system.
pub(crate) fn mounted<'p>(pod: &'p Pod, container: &Container, path: &str) -> Option<Mounted<'p>> {
    let path = path.trim_end_matches('/');
    let spec = pod.spec.as_ref()?;
    let all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let own = all.into_iter().find(|other| other.name == container.name)?;
    let mount = own
        .volume_mounts
        .iter()
        .flatten()
        .filter(|mount| below(path, &mount.mount_path).is_some())
        .max_by_key(|mount| mount.mount_path.trim_end_matches('/').len())?;
    let volume = spec.volumes.iter().flatten().find(|volume| volume.name == mount.name);
    Some(Mounted { mount, volume, rest: below(path, &mount.mount_path)?.to_owned() })
}

/// What of a path lies below a folder.
fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(folder.trim_end_matches('/'))?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}

impl Mounted<'_> {
    /// The object behind the volume, with the key that the path shows where there is one.
    pub(crate) fn object(&self) -> Option<(Kind, String, Option<String>)> {
        let volume = self.volume?;
        let shown = self.mount.sub_path.as_deref().filter(|sub| !sub.is_empty()).unwrap_or(&self.rest);
        let key_of = |items: Option<&Vec<k8s_openapi::api::core::v1::KeyToPath>>| {
            let item = items.into_iter().flatten().find(|item| item.path == shown).map(|item| item.key.clone());
            item.or_else(|| (!shown.is_empty()).then(|| shown.to_owned()))
        };
        if let Some(map) = &volume.config_map {
            return Some((Kind::ConfigMap, map.name.clone(), key_of(map.items.as_ref())));
        }
        if let Some(secret) = &volume.secret {
            return Some((Kind::Secret, secret.secret_name.clone()?, key_of(secret.items.as_ref())));
        }
        let claim = volume.persistent_volume_claim.as_ref()?;
        Some((Kind::PersistentVolumeClaim, claim.claim_name.clone(), None))
    }

    /// What the volume is, in words: `emptyDir`, `ConfigMap assets-conf`.
    pub(crate) fn describe(&self) -> Text {
        let volume = text!["volume ", name(self.mount.name.clone())];
        let Some((kind, object, _)) = self.object() else {
            let what = self.volume.map_or("", |volume| match volume {
                volume if volume.empty_dir.is_some() => " (emptyDir)",
                volume if volume.host_path.is_some() => " (hostPath)",
                volume if volume.projected.is_some() => " (projected)",
                volume if volume.nfs.is_some() => " (NFS)",
                volume if volume.csi.is_some() => " (CSI)",
                _ => "",
            });
            return text![volume, what];
        };
        text![volume, " (", kind.name(), " ", name(object), ")"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod() -> Pod {
        serde_json::from_value(serde_json::json!({
            "spec": {
                "containers": [{"name": "web", "volumeMounts": [
                    {"name": "conf", "mountPath": "/etc/nginx/conf.d/"},
                    {"name": "data", "mountPath": "/data"},
                    {"name": "one", "mountPath": "/etc/app.yaml", "subPath": "app.yaml"},
                ]}],
                "volumes": [
                    {"name": "conf", "configMap": {"name": "web-conf", "items": [{"key": "site", "path": "site.conf"}]}},
                    {"name": "data", "emptyDir": {}},
                    {"name": "one", "configMap": {"name": "app"}},
                ],
            }
        }))
        .expect("a pod")
    }

    #[test]
    fn a_path_leads_to_its_volume_and_key() {
        let pod = pod();
        let container = &pod.spec.as_ref().expect("a spec").containers[0];
        let object = |path| mounted(&pod, container, path).and_then(|mounted| mounted.object());
        let key = |object: &str, key: &str| Some((Kind::ConfigMap, object.to_owned(), Some(key.to_owned())));
        assert_eq!(object("/etc/nginx/conf.d/site.conf"), key("web-conf", "site"));
        assert_eq!(object("/etc/app.yaml"), key("app", "app.yaml"));
        assert_eq!(object("/database/x"), None);
        assert_eq!(
            mounted(&pod, container, "/data/x").map(|m| m.describe().plain()),
            Some("volume data (emptyDir)".into())
        );
        assert!(mounted(&pod, container, "/database").is_none());
    }
}
