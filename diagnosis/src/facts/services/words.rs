//! How a Service stands, in words.

use kubewhy_text::{Text, code, name, text};

use super::{Alias, SERVICE_NAME, Standing, State};
use crate::case::Case;
use crate::finding::Fix;

impl Standing {
    /// Tells whether it is known to be at fault.
    pub(crate) fn is_at_fault(&self) -> bool {
        !matches!(self.state, State::Unknown | State::Fine | State::External(_))
    }

    /// It in one clause for a title: `Service shop/prod-db has no endpoints, its selector app=db matches no pod`.
    pub(crate) fn clause(&self) -> Text {
        let service = text!["Service ", name(self.service.path())];
        match &self.state {
            State::Unknown => text![service, " could not be read"],
            State::Missing(_) => text!["there is no ", service],
            State::WrongPort(port, _) => text![service, " has no port ", *port],
            State::WrongTarget(target, _) => {
                text![service, " leads to port ", code(target.clone()), ", which its pods do not declare"]
            }
            State::External(outside) => text![service, " stands for ", name(outside.clone())],
            State::Nowhere(outside, Alias::Empty) if outside.is_empty() => text![service, " stands for no name at all"],
            State::Nowhere(outside, _) => {
                text![service, " stands for ", code(outside.clone()), ", a name that leads nowhere"]
            }
            State::Handmade => text![service, " has no selector, and nobody has written endpoints for it"],
            State::Hidden => text![service, " has no ready endpoint"],
            State::NoPods(workload) => {
                text![service, " has no endpoints, ", name(workload.to_string()), " has no pods"]
            }
            State::Terminating(_) => text![service, " has no ready endpoint, its pods are all being deleted"],
            State::Completed(pod) => {
                text![service, " has no ready endpoint, its pod ", name(pod.name.clone()), " has completed"]
            }
            State::Stale(pods) => {
                text![
                    service,
                    " has no ready endpoint, though ",
                    *pods,
                    if *pods == 1 { " pod of it is ready" } else { " pods of it are ready" }
                ]
            }
            State::SelectsNothing(selector, _) => {
                text![service, " has no endpoints, its selector ", code(selector.clone()), " matches no pod"]
            }
            State::ScaledToZero(workload) => {
                text![service, " has no endpoints, ", name(workload.to_string()), " is scaled to zero"]
            }
            State::NotReady(trouble) if trouble.starting => {
                text![service, " has no ready endpoint yet, its pods are still starting"]
            }
            State::NotReady(trouble) => {
                text![service, " has no ready endpoint, Pod ", name(trouble.pod.name.clone()), " is not ready"]
            }
            State::Fine if self.ready == 1 => text![service, " has a ready endpoint"],
            State::Fine => text![service, " has ", self.ready, " ready endpoints"],
        }
    }

    /// It in one or two sentences.
    pub(crate) fn sentence(&self) -> Text {
        match &self.state {
            State::Missing(near) => {
                let near = near.as_ref().map(|near| text![" Did you mean ", name(near.clone()), "?"]);
                let namespace = self.service.namespace.clone().unwrap_or_default();
                text![
                    "There is no Service ",
                    name(self.service.name.clone()),
                    " in namespace ",
                    name(namespace),
                    ".",
                    near
                ]
            }
            State::WrongPort(port, has) => {
                text!["The Service has no port ", *port, "; it has ", Text::names(has.clone(), 8), "."]
            }
            State::WrongTarget(target, declared) => text![
                "The Service leads to port ",
                code(target.clone()),
                " of its pods, which are ready and declare ",
                if declared.is_empty() { text!["no port"] } else { Text::names(declared.clone(), 8) },
                if target.starts_with(|first: char| first.is_ascii_digit()) {
                    text![": most likely nobody listens on ", code(target.clone()), ", and connections are refused."]
                } else {
                    text![": no container of them has a port of that name, so the Service leads to none of them."]
                }
            ],
            State::Nowhere(outside, why) => match why {
                Alias::Itself => text![
                    "The Service is another name for ",
                    code(outside.clone()),
                    ", which is the Service itself: the lookup goes in circles."
                ],
                Alias::NoService(of) => text![
                    "The Service is another name for ",
                    code(outside.clone()),
                    ", and there is no ",
                    name(of.to_string()),
                    "."
                ],
                Alias::Address => text![
                    "externalName is ",
                    code(outside.clone()),
                    ", an address. It has to be a name: DNS hands it out as one, and no name server knows it."
                ],
                Alias::Empty => text!["Its externalName is empty, so the name leads to nothing."],
            },
            State::NoPods(workload) => text![
                "Nobody listens behind the Service: ",
                name(workload.to_string()),
                " has the right labels, and not one pod of it is there."
            ],
            State::Terminating(trouble) => text![
                "Behind the Service only pods are left that are being deleted (",
                name(trouble.pod.to_string()),
                trouble.controller.as_ref().map(|it| text![" of ", name(it.to_string())]),
                "), and no new one has taken over."
            ],
            State::Completed(pod) => text![
                name(pod.to_string()),
                " behind the Service has done its work and ended, so nobody listens there any more."
            ],
            State::Stale(_) => text![
                "The pods that the Service selects are ready for more than a minute, and its EndpointSlices do not have \
                 them: what writes these, the controller manager, is behind or down."
            ],
            State::SelectsNothing(_, near) => {
                let near = near.as_ref().map(|near| text![" (nearest: ", code(near.clone()), ")"]);
                text!["Nobody listens behind the Service: no pod carries the labels that it selects", near, "."]
            }
            State::ScaledToZero(workload) => {
                text!["Nobody listens behind the Service: ", name(workload.to_string()), " wants 0 replicas."]
            }
            State::NotReady(trouble) => {
                let of = (trouble.of > 1).then(|| text![" of ", trouble.of]);
                text![
                    "Behind the Service ",
                    name(trouble.pod.to_string()),
                    of,
                    " is not ready: ",
                    trouble.ails.clone(),
                    "."
                ]
            }
            State::Handmade => text!["The Service selects no pods by itself, and nobody has written endpoints for it."],
            State::Hidden => text!["Nobody listens behind the Service; its pods could not be read."],
            State::External(outside) => {
                text!["The Service is only another name for ", name(outside.clone()), ", outside the cluster."]
            }
            State::Fine => text![
                self.clause(),
                ", so the peer is up by now as far as the cluster can see; it may have come up later than the program."
            ],
            State::Unknown => text!["The name is one of a Service, and how that stands could not be read."],
        }
    }

    /// The steps that end its fault.
    pub(crate) fn fixes(&self, case: &Case<'_>) -> Vec<Fix> {
        let namespace = self.service.namespace.as_deref().unwrap_or_default();
        let service = self.service.name.as_str();
        let edit = case.kubectl_in(namespace, ["edit", "service", service]);
        let label = format!("{SERVICE_NAME}={service}");
        match &self.state {
            State::Missing(_) => vec![
                Fix::safe(text!["look at the Services that there are, and name one of them or create ", name(service)])
                    .command(case.kubectl_in(namespace, ["get", "services"])),
            ],
            State::WrongPort(_, has) => vec![
                Fix::disruptive(text!["ask for a port that the Service has: ", Text::names(has.clone(), 8)]),
                Fix::safe(text!["or add the port to Service ", name(self.service.path())]).command(edit),
            ],
            State::WrongTarget(target, declared) => self.retarget(target, declared, edit),
            State::SelectsNothing(selector, near) => {
                let near = near.as_ref().map(|near| text![" (did you mean ", code(near.clone()), "?)"]);
                vec![
                    Fix::safe(text![
                        "make the selector of Service ",
                        name(self.service.path()),
                        " match its pods",
                        near
                    ])
                    .command(edit),
                    Fix::safe(text!["or start the pods it is meant for, with the labels ", code(selector.clone())])
                        .command(case.kubectl_in(namespace, ["get", "pods", "--show-labels"])),
                ]
            }
            State::ScaledToZero(workload) => {
                let target = format!("{}/{}", workload.kind.to_lowercase(), workload.name);
                vec![
                    Fix::safe(text!["scale ", name(workload.to_string()), " up again"])
                        .command(case.kubectl_in(namespace, ["scale", target.as_str(), "--replicas=1"])),
                ]
            }
            State::NotReady(trouble) => {
                let whose = trouble.controller.as_ref().unwrap_or(&trouble.pod).to_string();
                vec![
                    Fix::safe(text!["repair ", name(whose), " behind Service ", name(service)])
                        .command(case.kubectl_in(namespace, ["describe", "pod", trouble.pod.name.as_str()])),
                ]
            }
            State::NoPods(workload) => vec![
                Fix::safe(text!["see why ", name(workload.to_string()), " has no pods"])
                    .command(case.kubectl_in(namespace, ["describe", &workload.kind.to_lowercase(), &workload.name])),
            ],
            State::Terminating(trouble) => {
                let whose = trouble.controller.as_ref().unwrap_or(&trouble.pod);
                vec![
                    Fix::safe(text!["see why ", name(whose.to_string()), " makes no new pod"])
                        .command(case.kubectl_in(namespace, ["describe", &whose.kind.to_lowercase(), &whose.name])),
                ]
            }
            State::Nowhere(..) => {
                vec![
                    Fix::safe(text!["correct ", code("externalName"), " of Service ", name(self.service.path())])
                        .command(edit),
                ]
            }
            State::Handmade => vec![
                Fix::safe(text![
                    "give Service ",
                    name(self.service.path()),
                    " a selector, if pods of the cluster stand behind it"
                ])
                .command(edit),
                Fix::safe(text!["or write its EndpointSlice, with the label ", code(label.clone())])
                    .command(case.kubectl_in(namespace, ["get", "endpointslices", "-l", label.as_str()])),
            ],
            State::Stale(_) => vec![
                Fix::safe(text!["see whether the controller manager is alive: its lease is renewed every few seconds"])
                    .command(case.kubectl_in("kube-system", ["get", "lease", "kube-controller-manager", "-o", "yaml"]))
                    .command(
                        case.kubectl_in("kube-system", ["get", "pods", "-l", "component=kube-controller-manager"]),
                    ),
            ],
            State::Completed(_) | State::Hidden | State::External(_) | State::Fine | State::Unknown => vec![
                Fix::safe(text!["look at the endpoints of Service ", name(self.service.path())])
                    .command(case.kubectl_in(namespace, ["get", "endpointslices", "-l", label.as_str()])),
            ],
        }
    }

    /// The steps that lead it to a port on which its pods listen.
    fn retarget(&self, target: &str, declared: &[String], edit: String) -> Vec<Fix> {
        let known = (!declared.is_empty()).then(|| text![": ", Text::names(declared.to_vec(), 8)]);
        let title = text![
            "set targetPort of Service ",
            name(self.service.path()),
            " to the port on which its pods listen",
            known
        ];
        let mut fixes = vec![Fix::safe(title).command(edit)];
        if !target.starts_with(|first: char| first.is_ascii_digit()) {
            let title = text!["or name the port ", code(target.to_owned()), " in the containers of its pods"];
            fixes.push(Fix::disruptive(title));
        }
        fixes
    }
}
