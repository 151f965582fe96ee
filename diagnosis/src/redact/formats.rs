//! The forms of secrets, by who issues them.

mod ai;
mod chat;
mod cloud;
mod data;
mod delivery;
mod hosting;
mod keys;
mod monitoring;
mod packages;
mod payment;
mod web;

use super::format::Format;

/// All forms, the most specific first within each group.
pub(super) fn all() -> impl Iterator<Item = &'static Format> {
    let groups: [&'static [Format]; 11] = [
        keys::FORMATS,
        cloud::FORMATS,
        delivery::FORMATS,
        packages::FORMATS,
        hosting::FORMATS,
        data::FORMATS,
        chat::FORMATS,
        payment::FORMATS,
        ai::FORMATS,
        monitoring::FORMATS,
        web::FORMATS,
    ];
    groups.into_iter().flatten()
}
