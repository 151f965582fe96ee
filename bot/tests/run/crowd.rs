//! A Slack in which many people ask in many channels, and what they ask about.

use kubewhy_slack_server::{Channel, ChannelKind, User, UserKind, World};

/// Deployments of the demo, each broken in another way.
pub(crate) const OBJECTS: [&str; 10] =
    ["push", "checkout", "orders", "search", "storefront", "barcode", "booking", "catalog", "pricing", "surveys"];

/// Everybody and every channel that was added to a world: ids.
pub(crate) struct Crowd {
    pub(crate) people: Vec<String>,
    pub(crate) channels: Vec<String>,
}

/// The same world with so many more people, all of whom are in so many more channels, as the bot is.
pub(crate) fn crowded(mut world: World, people: usize, channels: usize) -> (World, Crowd) {
    let people: Vec<String> = (0..people).map(|number| format!("U0P{number:03}")).collect();
    let channels: Vec<String> = (0..channels).map(|number| format!("C0CH{number:03}")).collect();
    for id in &people {
        let user = User { id: id.clone(), name: id.to_lowercase(), kind: UserKind::Member, team: None };
        world = world.with_user(user);
    }
    let members: Vec<String> = people.iter().chain([&world.app.bot_user]).cloned().collect();
    for id in &channels {
        world = world.with_channel(Channel {
            id: id.clone(),
            name: id.to_lowercase(),
            kind: ChannelKind::Public,
            members: members.clone(),
            archived: false,
            shared: false,
        });
    }
    (world, Crowd { people, channels })
}
