//! A cluster with one topic and one group, and applications that answer at once.

use crate::*;

pub(super) const PROTOCOLS: [Protocol; 3] =
    [Protocol::Eager, Protocol::Cooperative, Protocol::Consumer];

#[derive(Clone)]
pub(super) struct World {
    pub(super) cluster: Cluster<u8>,
    pub(super) group: GroupId,
    pub(super) topic: TopicId,
    pub(super) clients: Vec<Client<u8>>,
}

impl World {
    /// With `partitions` of 10 records each.
    pub(super) fn new(protocol: Protocol, assignor: Assignor, partitions: usize) -> Self {
        let mut cluster = Cluster::new();
        let topic = cluster.create_topic("in", partitions);
        for partition in cluster.partitions(topic).to_vec() {
            for record in 0..10 {
                cluster.append(partition, record, 0);
            }
        }
        let group = cluster.create_group("g", protocol, assignor);
        Self {
            cluster,
            group,
            topic,
            clients: Vec::new(),
        }
    }

    /// Adds a client and lets the group come to rest.
    pub(super) fn join(&mut self) -> usize {
        self.clients.push(Client::new(self.group, [self.topic]));
        self.settle();
        self.clients.len() - 1
    }

    pub(super) fn partition(&self, index: usize) -> PartitionId {
        self.cluster.partitions(self.topic)[index]
    }

    pub(super) fn set(&self, indices: &[usize]) -> PartitionSet {
        indices.iter().map(|i| self.partition(*i)).collect()
    }

    pub(super) fn member(&self, client: usize) -> MemberId {
        self.clients[client].member().unwrap()
    }

    pub(super) fn is_member(&self, client: &Client<u8>) -> bool {
        let group = self.cluster.group(self.group);
        client.member().is_some_and(|member| group.has(member))
    }

    /// A partition that two members have assigned. Who is no member any more may not know yet.
    pub(super) fn double_owned(&self) -> PartitionSet {
        let members = self.clients.iter().filter(|c| self.is_member(c));
        let (mut owned, mut twice) = (PartitionSet::new(), PartitionSet::new());
        for client in members {
            twice = twice.union(&owned.intersection(&client.assignment()));
            owned = owned.union(&client.assignment());
        }
        twice
    }

    pub(super) fn exchange(&mut self, client: usize) -> Option<Notice> {
        self.clients[client].exchange(&mut self.cluster)
    }

    /// Exchanges until the client is told something.
    pub(super) fn until_told(&mut self, client: usize) -> Notice {
        while self.clients[client].may_exchange(&self.cluster) {
            if let Some(notice) = self.exchange(client) {
                return notice;
            }
        }
        panic!("client {client} waits for others");
    }

    pub(super) fn answer(&mut self, client: usize) {
        let (cluster, client) = (&self.cluster, &mut self.clients[client]);
        match client.told().cloned() {
            Some(Notice::Assign(partitions)) => {
                let start = |p| cluster.committed(client.group(), p).map_or(0, |c| c.offset);
                let starts: Vec<_> = partitions.iter().map(|p| (p, start(p))).collect();
                client.assign(&starts).unwrap();
            }
            Some(Notice::Revoke { .. }) => client.unassign().unwrap(),
            None => {}
        }
    }

    pub(super) fn reassign(&mut self, targets: &[(usize, &[usize])]) {
        let targets: Vec<_> = targets
            .iter()
            .map(|(client, partitions)| (self.member(*client), self.set(partitions)))
            .collect();
        self.cluster.reassign(self.group, targets).unwrap();
    }

    pub(super) fn commits_arrive(&mut self, client: usize) -> Vec<Result<(), CommitError>> {
        let client = &mut self.clients[client];
        let mut answers = Vec::new();
        while let Some(answer) = client.answer_commit(&mut self.cluster, Answer::Arrives) {
            answers.push(answer);
        }
        answers
    }

    /// Lets everybody do and answer everything until nothing is left to do.
    pub(super) fn settle(&mut self) {
        for _ in 0..1_000 {
            let mut moved = false;
            for client in 0..self.clients.len() {
                moved |= self.clients[client].told().is_some();
                self.answer(client);
                moved |= !self.commits_arrive(client).is_empty();
                moved |= self.clients[client].may_exchange(&self.cluster);
                self.exchange(client);
            }
            if !moved {
                return;
            }
        }
        panic!(
            "the group never comes to rest: {:#?}",
            self.cluster.group(self.group)
        );
    }

    pub(super) fn assignments(&self) -> Vec<PartitionSet> {
        self.clients.iter().map(Client::assignment).collect()
    }

    pub(super) fn committed(&self, index: usize) -> Option<i64> {
        let committed = self.cluster.committed(self.group, self.partition(index));
        committed.map(|c| c.offset)
    }
}
