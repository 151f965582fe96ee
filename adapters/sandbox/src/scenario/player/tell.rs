//! Events and logs of a part.

use super::{Player, Scene};
use crate::scenario::event::{Regarding, write_event};
use crate::scenario::format::{EventText, LogText, Pattern, fits};
use crate::scenario::identity::Seed;
use crate::scenario::json;

impl Player {
    pub(super) fn put_event(&mut self, scene: &Scene<'_>, event: &EventText) {
        let on = event.on.clone().unwrap_or_default();
        let found = Pattern::parse(&on).and_then(|pattern| Some((self.resource("", &pattern.kind)?, pattern)));
        let Some((resource, pattern)) = found else {
            self.unknown(scene, &on);
            return;
        };
        let namespace = event.namespace.as_deref().unwrap_or(scene.scenario.namespace());
        let namespace = if resource.namespaced { namespace } else { "" };
        let api_version = resource.api_version();
        let listed = self.sandbox.list(&api_version, &pattern.kind, Some(namespace).filter(|n| !n.is_empty()));
        let mut regarding: Vec<(String, String, String)> = listed
            .iter()
            .map(|object| {
                let field = |path: &[&str]| json::text_at(object, path).to_owned();
                (field(&["metadata", "name"]), field(&["metadata", "uid"]), field(&["spec", "nodeName"]))
            })
            .filter(|(name, _, _)| pattern.fits(name))
            .collect();
        if regarding.is_empty() && !pattern.name.contains('*') {
            let uid = Seed::of(&[&scene.scenario.name, &pattern.kind, namespace, &pattern.name, ""]).uid();
            regarding.push((pattern.name.clone(), uid, String::new()));
        }
        for (name, uid, host) in regarding {
            let uid = event.uid.as_deref().unwrap_or(&uid);
            let regarding = Regarding { kind: &pattern.kind, api_version: &api_version, namespace, name: &name, uid };
            let host = if pattern.kind == "Node" { name.as_str() } else { host.as_str() };
            let object = write_event(event, &regarding, host, None, &scene.moment);
            self.put(scene, json::map_of(object));
        }
    }

    pub(super) fn put_log(&mut self, scene: &Scene<'_>, log: &LogText) {
        let namespace = log.namespace.as_deref().unwrap_or(scene.scenario.namespace()).to_owned();
        let text = scene.moment.fill_in_text(&log.text);
        let pods = self.sandbox.list("v1", "Pod", Some(&namespace));
        let names =
            pods.iter().map(|pod| json::text_at(pod, &["metadata", "name"])).filter(|name| fits(&log.pod, name));
        for name in names {
            self.sandbox.set_log(&namespace, name, &log.container, log.previous, &text);
        }
    }
}
