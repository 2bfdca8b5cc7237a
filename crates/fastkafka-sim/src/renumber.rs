//! One name for states that differ only in how often something has happened.

use crate::client::Client;
use crate::cluster::Cluster;
use crate::group::{Group, Protocol};
use crate::ids::MemberId;

/// The id of a member that its group does not know any more.
const GONE: MemberId = MemberId(u32::MAX);

impl<R> Cluster<R> {
    /// Gives members and generations the smallest numbers, in every group and in all of its clients.
    ///
    /// Two states that differ only in how many generations and members came before are equal
    /// afterwards, and behave alike: a generation that is over never comes back, so all of those are
    /// one. Members are numbered in the order of `clients`, then those without a client; assignors
    /// serve them in that order.
    ///
    /// Every client of the cluster must be among `clients`.
    pub fn renumber<'c>(&mut self, clients: impl IntoIterator<Item = &'c mut Client<R>>)
    where
        R: 'c,
    {
        let mut clients: Vec<_> = clients.into_iter().collect();
        for (at, group) in self.groups.iter_mut().enumerate() {
            let of_group = clients.iter_mut().filter(|c| c.group.index() == at);
            let mut of_group: Vec<_> = of_group.collect();
            let order = order(group, of_group.iter().filter_map(|c| c.member));
            for client in &mut of_group {
                renumber_client(client, group, &order);
            }
            renumber_group(group, &order);
        }
    }
}

/// The members of the group, those with a client first.
fn order(group: &Group, of_clients: impl Iterator<Item = MemberId>) -> Vec<MemberId> {
    let mut order: Vec<_> = of_clients.filter(|id| group.has(*id)).collect();
    for id in group.members() {
        if !order.contains(&id) {
            order.push(id);
        }
    }
    order
}

fn renumber_client<R>(client: &mut Client<R>, group: &Group, order: &[MemberId]) {
    let sent = client.commits.iter_mut().map(|sent| &mut sent.commit);
    for commit in sent.chain(&mut client.late) {
        rename(&mut commit.member, &mut commit.generation, group, order);
    }
    rename(&mut client.member, &mut client.generation, group, order);
}

fn rename(member: &mut Option<MemberId>, generation: &mut u32, group: &Group, order: &[MemberId]) {
    let known = member.and_then(|id| group.find(id));
    *generation = match known {
        Some(known) if group.protocol == Protocol::Consumer && *generation == known.epoch => {
            epoch(known.epoch, group)
        }
        Some(_) if group.protocol != Protocol::Consumer && *generation == group.generation => 1,
        _ => 0,
    };
    if let Some(id) = member {
        let at = order.iter().position(|known| known == id);
        *id = at.map_or(GONE, MemberId::at);
    }
}

/// A member is in the epoch of its group, or behind.
fn epoch(epoch: u32, group: &Group) -> u32 {
    1 + u32::from(epoch == group.generation)
}

fn renumber_group(group: &mut Group, order: &[MemberId]) {
    for at in 0..group.members.len() {
        group.members[at].epoch = match group.protocol {
            Protocol::Consumer => epoch(group.members[at].epoch, group),
            Protocol::Eager | Protocol::Cooperative => 0,
        };
    }
    group.generation = match group.protocol {
        Protocol::Consumer => 2,
        Protocol::Eager | Protocol::Cooperative => 1,
    };
    for member in &mut group.members {
        let at = order.iter().position(|id| *id == member.id);
        member.id = at.map_or(GONE, MemberId::at);
    }
    group.members.sort_by_key(|member| member.id);
    group.next_member = MemberId::at(group.members.len()).0;
}
